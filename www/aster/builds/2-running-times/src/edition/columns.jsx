import { Stub } from './stub.jsx';

// What the programme says about a screening, besides its time and title.
export const columns = [
  { key: 'by', label: 'By', show: ({ director, year }) => `${director}, ${year}` },
  { key: 'print', label: 'Print', show: (screening) => <Stub screening={screening} /> },
  { key: 'ends', label: 'Ends', show: ({ time, minutes }) => `ends ${clockAfter(time, minutes)}` },
];

/** The clock `minutes` after `time`, both within a day. */
export function clockAfter(time, minutes) {
  const [hour, minute] = time.split(':').map(Number);
  const end = hour * 60 + minute + minutes;
  return [Math.floor(end / 60) % 24, end % 60].map((part) => String(part).padStart(2, '0')).join(':');
}
