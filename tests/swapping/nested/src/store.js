let path = 'cart';
export const read = () => path;
export const write = (next) => void (path = next);
