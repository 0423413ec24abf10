import { Stub } from './stub.jsx';

// What the programme says about a screening, besides its time and title.
export const columns = [
  { key: 'by', label: 'By', show: ({ director, year }) => `${director}, ${year}` },
  { key: 'print', label: 'Print', show: (screening) => <Stub screening={screening} /> },
];
