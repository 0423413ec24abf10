import { createChangeover } from 'changeover';
import React from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './App.jsx';
import './shell.css';

globalThis.copies ??= new Set();
copies.add(React);
globalThis.boots = (globalThis.boots ?? 0) + 1;
globalThis.guard = createChangeover();
globalThis.news = [];
guard.on('*', (event) => news.push(event));
createRoot(document.getElementById('app')).render(<App />);
