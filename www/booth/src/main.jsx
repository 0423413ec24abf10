import '@fontsource-variable/archivo/wdth.css';
import './booth.css';
import { createRoot } from 'react-dom/client';
import { Booth } from './Booth.jsx';

createRoot(document.getElementById('root')).render(<Booth />);
