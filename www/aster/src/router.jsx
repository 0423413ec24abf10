// A router as small as the demo: the address is the only state.
import { useEffect, useSyncExternalStore } from 'react';

const subscribe = (listener) => {
  const events = ['popstate', 'hashchange', 'aster:moved'];
  events.forEach((type) => window.addEventListener(type, listener));
  return () => events.forEach((type) => window.removeEventListener(type, listener));
};

/** The address of the page as a URL. */
export function useAddress() {
  return new URL(useSyncExternalStore(subscribe, () => location.href));
}

/** Goes to `href` without a page load. `replace`: the entry before is gone, and the page stays where it is scrolled. */
export function go(href, { replace = false } = {}) {
  history[replace ? 'replaceState' : 'pushState'](null, '', href);
  window.dispatchEvent(new Event('aster:moved'));
  if (!replace) window.scrollTo(0, 0);
}

export function Link({ href, replace, ...rest }) {
  const follow = (event) => {
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.button !== 0) return;
    event.preventDefault();
    go(href, { replace });
  };
  return <a href={href} onClick={follow} {...rest} />;
}

/** Sets the title of the window while the page is shown. */
export function useTitle(title) {
  useEffect(() => {
    document.title = `${title} · Aster`;
  }, [title]);
}
