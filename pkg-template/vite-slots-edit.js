// Replaces parts of a module and says in a source map where the rest came from.

/**
 * @typedef {{ from: number, text: string, made?: boolean }} Part of the result; `from`: where it was, `made`: it is new
 * @typedef {[there: number, line: number, column: number]} Segment
 */

/**
 * @param {string} code
 * @param {{ start: number, end: number, text: string }[]} edits that do not overlap
 * @param {{ tail?: string, source?: string }} more `tail` is put at the end; with a `source` there is a map
 * @returns {{ code: string, map: ReturnType<typeof mapOf> | null }}
 */
export function applyEdits(code, edits, { tail = '', source } = {}) {
  /** @type {Part[]} */
  const parts = [];
  let at = 0;
  for (const { start, end, text } of [...edits].sort((a, b) => a.start - b.start || a.end - b.end)) {
    parts.push({ from: at, text: code.slice(at, start) }, { from: start, text, made: true });
    at = end;
  }
  parts.push({ from: at, text: code.slice(at) }, { from: code.length, text: tail, made: true });
  return { code: parts.map(({ text }) => text).join(''), map: source === undefined ? null : mapOf(code, parts, source) };
}

/**
 * @param {string} code
 * @param {Part[]} parts
 * @param {string} source
 */
function mapOf(code, parts, source) {
  /** @type {Segment[][]} */
  const lines = [[]]; // of the result: [column there, line here, column here]
  const starts = [0];
  for (let at = code.indexOf('\n'); at >= 0; at = code.indexOf('\n', at + 1)) starts.push(at + 1);
  let column = 0;
  let line = 0;
  for (const { from, text, made } of parts) {
    // A piece for each word, since a reader of the map knows nothing of the space between.
    let here = from;
    for (const piece of text.match(made ? /\n|[^\n]+/g : /\n|\w+|[^\w\n]/g) ?? []) {
      while (line + 1 < starts.length && starts[line + 1] <= here) line += 1;
      /** @type {Segment[]} */ (lines.at(-1)).push([column, line, here - starts[line]]);
      if (piece === '\n') {
        lines.push([]);
        column = 0;
      } else column += piece.length;
      if (!made) here += piece.length;
    }
  }
  const last = [0, 0];
  const mappings = lines.map((segments) => {
    let before = 0;
    return segments.map(([there, line, column]) => {
      const segment = vlq(there - before) + 'A' + vlq(line - last[0]) + vlq(column - last[1]);
      before = there;
      last.splice(0, 2, line, column);
      return segment;
    }).join(',');
  }).join(';');
  return { version: 3, sources: [source], sourcesContent: [code], names: [], mappings };
}

const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/** @param {number} number */
function vlq(number) {
  let rest = number < 0 ? (-number << 1) | 1 : number << 1;
  let text = '';
  do {
    const digit = rest & 31;
    rest >>>= 5;
    text += DIGITS[rest ? digit | 32 : digit];
  } while (rest);
  return text;
}
