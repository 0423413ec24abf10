export const user = { name: 'ada' };
globalThis.stores = (globalThis.stores ?? 0) + 1;
