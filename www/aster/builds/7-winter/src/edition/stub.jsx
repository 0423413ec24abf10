const PRICES = { '35mm': 9, '16mm': 7, DCP: 6 };

/** What is torn off a ticket: the print that runs, whether a musician plays to it, and what it costs. */
export function Stub({ screening }) {
  return <span className="stub" data-torn>{screening.music ? `${screening.format} ♪` : screening.format} {PRICES[screening.format]} €</span>;
}
