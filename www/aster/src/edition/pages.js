import { lazy } from 'changeover/react';

export const pages = [
  { path: '/', label: 'Programme', Page: lazy(() => import('../routes/Programme.jsx')) },
  { path: '/note', label: 'Note', Page: lazy(() => import('../routes/Note.jsx')) },
  { path: '/ingest', label: 'Ingest', Page: lazy(() => import('../routes/Ingest.jsx')) },
  { path: '/tab', label: 'This tab', Page: lazy(() => import('../routes/Tab.jsx')) },
];
