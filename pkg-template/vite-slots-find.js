// Where a module crosses the edge of a slot: found in its syntax tree, never in its text.

/**
 * @import { ESTree } from 'vite'
 *
 * @typedef {ESTree.Node} Node
 * @typedef {ESTree.ImportExpression} Import
 * @typedef {ESTree.Function | ESTree.ArrowFunctionExpression} Func
 * @typedef {{ name: string, value?: undefined } | { name?: undefined, value: string }} Name an identifier, or a text in its place
 * @typedef {Map<string, [source: string, name: string | null]>} Names
 * @typedef {{ kind: 'slot' | 'lazy', call: ESTree.CallExpression, id: Node | null | undefined, imports: Import[] }} Call
 * @typedef {{ imports: Import[], calls: Call[], wrapped: Set<Import>, adapters: Set<string>, sources: string[] }} Edges
 */

/**
 * Functions that take `() => import('…')` and wait for it, by the package they come from.
 *
 * @type {Record<string, string[]>}
 */
const WRAPPERS = {
  __proto__: /** @type {never} */ (null), // any package name is looked up
  react: ['lazy'],
  'preact/compat': ['lazy'],
  'preact-iso': ['lazy'],
  'solid-js': ['lazy'],
  vue: ['defineAsyncComponent'],
  '@tanstack/react-router': ['lazyRouteComponent'],
};
/** Properties of routes that hold `() => import('…')`, and that of an async component. */
const ROUTE = ['component', 'lazy'];
const LOADER = 'loader';

const OWN = /^changeover\/[\w-]+$/;

/**
 * The dynamic imports of a module, and what is known about them.
 *
 * @param {ESTree.Program} program
 * @param {boolean} auto whether those of the wrappers of frameworks are slots
 * @returns {Edges} every import with a fixed specifier; the calls of our adapters; the imports that a framework waits for; our modules;
 * what is imported by a declaration
 */
export function findEdges(program, auto) {
  const names = importedNames(program);
  const tops = topFunctions(program);
  const adapters = new Set([...names.values()].map(([source]) => source).filter((source) => OWN.test(source)));
  /** @type {Edges} */
  const found = { imports: [], calls: [], wrapped: new Set(), adapters, sources: /** @type {ESTree.ImportDeclaration[]} */ (program.body.filter(({ type }) => type === 'ImportDeclaration')).map(({ source }) => source.value) };

  walk(program, [], (node, ancestors) => {
    if (node.type === 'ImportExpression' && specifierOf(node) !== null) found.imports.push(node);
    if (node.type === 'CallExpression') {
      const [source, name] = calledBy(node.callee, ancestors, names) ?? [];
      if (OWN.test(/** @type {string} */ (source)) && (name === 'slot' || name === 'lazy')) {
        const [first, second] = node.arguments;
        found.calls.push({ kind: name, call: node, id: name === 'slot' ? first : null, imports: importsOf(name === 'slot' ? second : first, ancestors, tops) });
      } else if (auto && WRAPPERS[/** @type {string} */ (source)]?.includes(/** @type {string} */ (name))) {
        for (const edge of importsOf(loaderOf(node.arguments[0]), ancestors, tops)) found.wrapped.add(edge);
      }
    }
    if (auto && node.type === 'Property' && !node.computed && ROUTE.includes(keyOf(node))) {
      for (const edge of importsOf(node.value, ancestors, tops)) found.wrapped.add(edge);
    }
  });
  return found;
}

/**
 * The text of a node that is a plain text, else null.
 *
 * @param {Node | null | undefined} node
 */
export function textOf(node) {
  if (node?.type === 'Literal' && typeof node.value === 'string') return node.value;
  if (node?.type === 'TemplateLiteral' && node.expressions.length === 0) return node.quasis[0].value.cooked;
  return null;
}

/**
 * What an `import()` asks for; null when that is only known at run time or is no module of JavaScript.
 *
 * @type {(node: Import) => string | null}
 */
export const specifierOf = ({ source, options }) => (options ? null : textOf(source));

/**
 * The number that a module exports as `schema`; undefined without one, null when it is no plain number.
 *
 * @param {ESTree.Program} program
 */
export function schemaOf(program) {
  /** @type {Map<string, number | null>} */
  const declared = new Map();
  let name;
  for (const node of program.body) {
    if (node.type === 'ExportNamedDeclaration' && !node.source) {
      for (const { local, exported } of /** @type {{ local: Name, exported: Name }[]} */ (node.specifiers)) if ((exported.name ?? exported.value) === 'schema') name = local.name;
    }
    const declaration = node.type === 'ExportNamedDeclaration' ? node.declaration : node;
    if (declaration?.type !== 'VariableDeclaration') continue;
    for (const { id, init } of declaration.declarations) {
      if (id.type !== 'Identifier') continue;
      if (declaration !== node && id.name === 'schema') name = 'schema';
      declared.set(id.name, declaration.kind === 'const' && init?.type === 'Literal' && Number.isInteger(init.value) ? /** @type {number} */ (init.value) : null);
    }
  }
  return name === undefined ? undefined : (declared.get(name) ?? null);
}

/**
 * local name -> [package, name there]; the name of the whole package is `*`.
 *
 * @param {ESTree.Program} program
 */
function importedNames(program) {
  /** @type {Names} */
  const names = new Map();
  for (const { type, source, specifiers } of /** @type {ESTree.ImportDeclaration[]} */ (program.body)) {
    if (type !== 'ImportDeclaration' || !(OWN.test(source.value) || source.value in WRAPPERS)) continue;
    for (const { type: kind, local, imported } of /** @type {{ type: string, local: { name: string }, imported: Name }[]} */ (specifiers)) {
      const name = kind === 'ImportSpecifier' ? (imported.name ?? imported.value) : '*';
      names.set(local.name, [source.value, name === 'default' ? '*' : name]);
    }
  }
  return names;
}

/**
 * [package, name] of what a call calls, when it was imported.
 *
 * @param {ESTree.Expression} callee
 * @param {Node[]} ancestors
 * @param {Names} names
 * @returns {[source: string, name: string | null] | null}
 */
function calledBy(callee, ancestors, names) {
  const member = callee.type === 'MemberExpression' && callee.object.type === 'Identifier';
  const { name } = /** @type {ESTree.IdentifierReference} */ (member ? callee.object : callee);
  const imported = names.get(name);
  if (!imported || (member ? imported[1] !== '*' : callee.type !== 'Identifier') || isShadowed(name, ancestors)) return null;
  if (!member) return imported;
  return [imported[0], callee.computed ? textOf(callee.property) : callee.property.name];
}

/**
 * @param {Node | null | undefined} node
 * @returns {node is Func}
 */
const isFunction = (node) => /^(Arrow)?Function(Expression|Declaration)?/.test(node?.type ?? '');

/**
 * Functions that a module declares at its top, by name.
 *
 * @param {ESTree.Program} program
 */
function topFunctions(program) {
  /** @type {Map<string, Func>} */
  const tops = new Map();
  for (const node of program.body) {
    const declaration = /** @type {{ declaration?: Node | null }} */ (node).declaration ?? node;
    if (declaration.type === 'FunctionDeclaration' && declaration.id) tops.set(declaration.id.name, declaration);
    if (declaration.type !== 'VariableDeclaration' || declaration.kind !== 'const') continue;
    for (const { id, init } of declaration.declarations) if (id.type === 'Identifier' && isFunction(init)) tops.set(id.name, init);
  }
  return tops;
}

/**
 * The imports in a function, or in the one that a name stands for.
 *
 * @param {Node | null | undefined} node
 * @param {Node[]} ancestors
 * @param {Map<string, Func>} tops
 */
function importsOf(node, ancestors, tops) {
  const loader = node?.type === 'Identifier' && !isShadowed(node.name, ancestors) ? tops.get(node.name) : node;
  /** @type {Import[]} */
  const found = [];
  if (isFunction(loader)) walk(loader, [], (inner) => void (inner.type === 'ImportExpression' && found.push(inner)));
  return found;
}

/** @type {(property: { key: Node }) => string} */
const keyOf = ({ key }) => /** @type {Name} */ (key).name ?? /** @type {{ value: string }} */ (key).value;
/** @type {(node: Node | undefined) => Node | undefined} */
const loaderOf = (node) => (node?.type === 'ObjectExpression' ? /** @type {ESTree.ObjectProperty | undefined} */ (node.properties.find((property) => property.type === 'Property' && keyOf(property) === LOADER))?.value : node);

/**
 * Whether something between the call and the top of the module declares the same name. In doubt, it does.
 *
 * @param {string} name
 * @param {Node[]} ancestors
 */
function isShadowed(name, ancestors) {
  return ancestors.some((node) => {
    if (!isFunction(node) && !/^(BlockStatement|For(In|Of)?Statement|SwitchStatement|CatchClause|StaticBlock)$/.test(node.type)) return false;
    let declares = isFunction(node) && [...node.params, node.id].some((pattern) => binds(pattern, name));
    walk(node, [], (inner) => {
      if (/^(VariableDeclarator|ClassDeclaration|FunctionDeclaration)$/.test(inner.type)) declares ||= binds(/** @type {ESTree.VariableDeclarator | ESTree.Class | ESTree.Function} */ (inner).id, name);
      if (inner.type === 'CatchClause') declares ||= binds(inner.param, name);
      return inner === node || !isFunction(inner);
    });
    return declares;
  });
}

/**
 * @param {Node | null | undefined} pattern
 * @param {string} name
 * @returns {boolean}
 */
function binds(pattern, name) {
  switch (pattern?.type) {
    case 'Identifier': return pattern.name === name;
    case 'AssignmentPattern': return binds(pattern.left, name);
    case 'RestElement': return binds(pattern.argument, name);
    case 'ArrayPattern': return pattern.elements.some((element) => binds(element, name));
    case 'ObjectPattern': return pattern.properties.some((property) => binds(property.value ?? property, name));
    default: return false;
  }
}

/**
 * Visits every node with its ancestors, the nearest last; below a node for which `visit` gives false it does not look.
 *
 * @param {Node} node
 * @param {Node[]} ancestors
 * @param {(node: Node, ancestors: Node[]) => unknown} visit
 */
function walk(node, ancestors, visit) {
  if (visit(node, ancestors) === false) return;
  ancestors.push(node);
  for (const key in node) {
    const child = /** @type {Record<string, Node | Node[] | string | null>} */ (/** @type {unknown} */ (node))[key];
    if (typeof child !== 'object' || child === null || key === 'parent') continue;
    for (const item of Array.isArray(child) ? child : [child]) if (typeof item?.type === 'string') walk(item, ancestors, visit);
  }
  ancestors.pop();
}
