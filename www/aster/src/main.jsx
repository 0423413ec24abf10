import '@fontsource-variable/archivo/wdth.css';
import './base.css';
import './edition/accent.css';
import './desk.js';
import './ingest.js';
import { createRoot } from 'react-dom/client';
import { App } from './App.jsx';
import { reportToBooth } from './report.js';

reportToBooth();
createRoot(document.getElementById('root')).render(<App />);
