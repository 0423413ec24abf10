import { createContext, createElement, useContext, useState } from 'react';
import { read, write } from './store.js';

const Context = createContext(null);

export function Router({ children }) {
  const [path, setPath] = useState(read);
  const go = (next) => {
    write(next);
    setPath(next);
  };
  return createElement(Context.Provider, { value: { path, go } }, children);
}

export function useRouter() {
  const router = useContext(Context);
  if (!router) throw new Error('useRouter() may be used only in a Router');
  return router;
}
