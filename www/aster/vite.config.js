import react from '@vitejs/plugin-react';
import changeover from 'changeover/vite';
import { defineConfig } from 'vite';

export default defineConfig({ plugins: [react(), changeover({ app: 'aster', interval: 10_000 })] });
