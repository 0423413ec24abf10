// What the server of the booth knows, and what it can be asked to do.
import { useEffect, useState } from 'react';

/** The state of the site, followed live; null until it is known. */
export function useSite() {
  const [site, setSite] = useState(null);
  const [lost, setLost] = useState(false);
  useEffect(() => {
    const news = new EventSource('/api/news');
    news.addEventListener('site', (event) => setSite(JSON.parse(event.data)));
    news.addEventListener('open', () => setLost(false));
    news.addEventListener('error', () => setLost(true));
    return () => news.close();
  }, []);
  return { site, lost };
}

/** Rejects with the sentence of the command line. */
export async function ask(action, body = {}) {
  const response = await fetch(`/api/${action}`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
  if (!response.ok) throw new Error(await response.text());
}
