// What the programme says about a screening, besides its time and title.
export const columns = [
  { key: 'by', label: 'By', show: ({ director, year }) => `${director}, ${year}` },
  { key: 'print', label: 'Print', show: ({ format, music }) => (music ? `${format}, live music` : format) },
];
