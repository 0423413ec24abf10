import react from '@vitejs/plugin-react';
import changeover from 'changeover/vite';
import { defineConfig } from 'vite';

// What pages share with the shell has files of its own, so that a page may use more of it and still be swapped.
const pinned = ['./src/guard.js', './src/desk.js', './src/ingest.js', './src/router.jsx', './src/films.js'];

export default defineConfig({ plugins: [react(), changeover({ app: 'aster', interval: 10_000, pinned })] });
