import { fileURLToPath } from 'node:url';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

// The demo runs from a copy of this folder (one for each build), so the package is named by the caller.
const changeoverPackage = process.env.CHANGEOVER_PACKAGE ?? fileURLToPath(new URL('../../dist/npm', import.meta.url));
const { default: changeover } = await import(new URL(`file://${changeoverPackage}/vite.js`).href);

export default defineConfig({
  plugins: [react(), changeover({ app: 'aster', interval: 10_000 })],
  resolve: { alias: { changeover: `${changeoverPackage}/index.js` } },
});
