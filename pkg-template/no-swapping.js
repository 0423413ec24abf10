// Stands in for swapping.js where the page has no slots.
export const createSwapping = () => ({ take() {}, dispose() {} });
