export const store = { items: [1, 2, 3] };
