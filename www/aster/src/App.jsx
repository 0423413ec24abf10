import { Suspense } from 'react';
import { lazy } from 'changeover/react';
import { pages } from './edition/pages.js';
import { season } from './edition/season.js';
import { useGuardStatus } from './guard.js';
import { Link, useAddress } from './router.jsx';

const Clock = lazy(() => import('./strip/Clock.jsx'));
const Pile = lazy(() => import('./strip/Pile.jsx'));
const Till = lazy(() => import('./strip/Till.jsx'));

/** The shell: the masthead, a strip of three slots, and the slot of the page. */
export function App() {
  const { pathname } = useAddress();
  const page = pages.find(({ path }) => path === pathname) ?? pages[0];
  return (
    <>
      <a className="skip" href="#main">Skip to the desk</a>
      <header className="masthead">
        <Link href="/" className="wordmark" aria-label="Aster, programme desk">Aster</Link>
        <p className="season">{season.line}</p>
        <CueDot />
        <nav aria-label="Desk">
          {pages.map(({ path, label }) => (
            <Link key={path} href={path} aria-current={path === page.path ? 'page' : undefined}>{label}</Link>
          ))}
        </nav>
      </header>
      <aside className="strip" aria-label="Desk">
        <Suspense fallback={null}><Clock /><Pile /><Till /></Suspense>
      </aside>
      <main id="main" tabIndex={-1}>
        <Suspense fallback={<p className="threading" role="status">Threading…</p>}>
          <page.Page />
        </Suspense>
      </main>
    </>
  );
}

/** The mark in the corner that tells a projectionist the next reel is due. */
function CueDot() {
  const { build, skew, holds, level, changeover } = useGuardStatus();
  const words = changeover?.phase === 'probation' ? 'New code, on trial' : skew ? (holds.length ? 'The next build waits for you' : 'The next build is ready') : level === 'off' ? 'Not watching' : 'Up to date';
  return (
    <p className="cue" data-due={skew || undefined}>
      <span className="cue-words">{words}</span>
      <code>{build ?? 'no build'}</code>
      <span className="cue-dot" aria-hidden="true" />
    </p>
  );
}
