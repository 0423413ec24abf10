// No DOM library and no Node types are loaded here: the package's types must need neither.
export {};
declare global {
  const document: undefined;
}
