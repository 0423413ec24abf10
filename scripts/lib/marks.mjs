// The marks that keep bundlers from following an `import()` of an address that is only known in the page.
import { parseAst } from 'vite';

/** @import { ESTree } from 'vite' */

const MARKS = '/* webpackIgnore: true */ /* @vite-ignore */ ';

/**
 * The code with marks in each `import()` of something other than a text. For code that was minified, which has no comments left.
 *
 * @param {string} code
 */
export function mark(code) {
  /** @type {number[]} */
  const places = [];
  const visit = (/** @type {ESTree.Node} */ node) => {
    if (node?.type === 'ImportExpression' && node.source.type !== 'Literal') places.push(node.source.start);
    for (const value of Object.values(node ?? {})) {
      for (const child of Array.isArray(value) ? value : [value]) if (typeof child?.type === 'string') visit(child);
    }
  };
  visit(parseAst(code));
  return places.sort((a, b) => b - a).reduce((marked, at) => marked.slice(0, at) + MARKS + marked.slice(at), code);
}
