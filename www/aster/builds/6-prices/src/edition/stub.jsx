import { useEffect, useState } from 'react';

/** What is torn off a ticket: the print that runs, whether a musician plays to it, and what it costs, once that is known. */
export function Stub({ screening }) {
  const [prices, setPrices] = useState(null);
  useEffect(() => {
    const timer = setTimeout(() => setPrices({}), 2500);
    return () => clearTimeout(timer);
  }, []);
  const price = prices ? prices[screening.format].toFixed(2) : '…';
  return <span className="stub" data-torn>{screening.music ? `${screening.format} ♪` : screening.format} {price} €</span>;
}
