// Objects by names that apps, servers and storage give: `__proto__` and `constructor` are names like any other.

/**
 * What an object has under a name, and has not inherited.
 *
 * @type {<T>(object: Readonly<Record<string, T>> | null | undefined, name: string) => T | undefined}
 */
export const own = (object, name) => (object && Object.hasOwn(object, name) ? object[name] : undefined);

/**
 * Assigning to `__proto__` would change what the object inherits.
 *
 * @type {<T extends object>(object: T, name: string, value: unknown) => T}
 */
export const put = (object, name, value) => Object.defineProperty(object, name, { value, enumerable: true, writable: true, configurable: true });
