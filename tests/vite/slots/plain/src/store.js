window.stores = (window.stores ?? 0) + 1;
export const store = { items: ['tea'] };
export const count = () => store.items.length;
export const first = () => store.items[0];
