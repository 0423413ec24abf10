// Turns what the loader captured (events as the browser made them) into what the engine judges.

/**
 * @param {any} event an `error` event of a resource or of a script, an `unhandledrejection`, or a `vite:preloadError`
 * @returns {{kind: 'script' | 'style' | 'import' | 'error', message: string, url: string | null} | null} null: no failure
 */
export function describeFailure(event) {
  const { type, target } = event;
  if (type === 'vite:preloadError') return described('import', event.payload);
  if (type === 'unhandledrejection') return described('error', event.reason);
  if (type !== 'error') return null; // the loader listens to more, for its own level
  const url = target?.src || target?.href;
  if (typeof url !== 'string') return { ...described('error', event.error ?? event.message), url: event.filename || null };
  const style = target.tagName === 'LINK' && /(^|\s)stylesheet(\s|$)/.test(target.rel);
  return { kind: style ? 'style' : 'script', message: `${url} failed to load`, url };
}

function described(kind, error) {
  const message = textOf(error);
  // Browsers and bundlers name the file in the text; webpack also as a property.
  const url = typeof error?.request === 'string' ? error.request : message.match(/(https?:\/)?\/[^\s'"()]+/)?.[0];
  return { kind, message, url: url ?? null };
}

/** What an error says; anything may be thrown, with anything as its message. */
export function textOf(error) {
  try {
    return String(error?.name && error.message !== undefined ? `${error.name}: ${error.message}` : error).slice(0, 500);
  } catch {
    return 'something that cannot be shown was thrown';
  }
}
