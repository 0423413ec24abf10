// A shield around one WebAssembly instance: a trap ends the instance, and neither the page nor the app sees an exception.
//
// Everything enters an instance through its exports: the methods of its classes, and every closure that any crate has handed
// to the browser. An export that throws has trapped, or JavaScript below it has thrown through it: its memory is in an
// unknown state. The first time, `onTrap` is told. From then on nothing enters the instance, and what is still on the stack is
// unwound as soon as it returns from an import.

/**
 * @typedef {object} Shield
 * @property {(imports: WebAssembly.Imports) => WebAssembly.Imports} imports to instantiate with
 * @property {(instance: WebAssembly.Instance) => Pick<WebAssembly.Instance, 'exports'>} instance for the glue
 * @property {(run: () => void) => void} close lets `run` into an instance that has trapped, to close what it opened
 * @property {((error: unknown) => void) | null} onTrap without it, an export throws what it threw
 */

/** @typedef {(...given: unknown[]) => unknown} Call */

/** @returns {Shield} */
export function createShield() {
  let dead = false;
  let closing = false;
  const isShut = () => dead && !closing;

  /** @type {(run: Call) => Call} */
  const enter = (run) => (...given) => {
    // Glue reads several values by their index: an empty array is an answer for every signature.
    if (isShut()) return [];
    try {
      return run(...given);
    } catch (error) {
      if (!shield.onTrap) throw error;
      if (!dead) {
        dead = true;
        shield.onTrap(error);
      }
      return [];
    }
  };
  /** @type {(run: Call) => Call} */
  const leave = (run) => (...given) => {
    const answer = run(...given);
    if (isShut()) throw new Error('the instance has trapped');
    return answer;
  };
  /** @type {<Part>(parts: Record<string, Part>, wrap: (run: Call) => Call) => Record<string, Part>} */
  const each = (parts, wrap) =>
    Object.fromEntries(Object.entries(parts).map(([name, part]) => [name, typeof part === 'function' ? /** @type {any} */ (wrap(/** @type {any} */ (part))) : part]));

  /** @type {Shield} */
  const shield = {
    onTrap: null,
    imports: (imports) => Object.fromEntries(Object.entries(imports).map(([name, functions]) => [name, each(functions, leave)])),
    instance: ({ exports }) => ({ exports: each(exports, enter) }),
    close(run) {
      closing = true;
      try {
        run();
      } catch {
      } finally {
        closing = false;
      }
    },
  };
  return shield;
}
