/** What is torn off a ticket: the print that runs, and whether a musician plays to it. */
export function Stub({ screening }) {
  return <span className="stub" data-torn>{screening.music ? `${screening.format} ♪` : screening.format}</span>;
}
