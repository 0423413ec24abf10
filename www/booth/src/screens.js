// The framed tabs: what they are and what they tell.
import { useEffect, useReducer, useRef, useState } from 'react';

// Frames of one origin would share their session storage, which real tabs never do: so each has a host name of its own.
const SCREENS = [
  { name: 'Screen 1', host: '127.0.0.1', path: '/?print=35mm' },
  { name: 'Screen 2', host: 'localhost', path: '/note?film=metropolis' },
  { name: 'Screen 3', host: 'screen.localhost', path: '/ingest' },
];

const LOG_LENGTH = 60;

/** The screens whose host names this browser can reach. */
export function useScreens(port) {
  const [screens, setScreens] = useState(SCREENS.slice(0, 1));
  useEffect(() => {
    if (!port) return;
    let gone = false;
    const reach = ({ host }) => fetch(`http://${host}:${port}/changeover/release.json`, { mode: 'no-cors' }).then(() => true, () => false);
    Promise.all(SCREENS.map(reach)).then((reached) => {
      if (!gone) setScreens(SCREENS.filter((_, index) => reached[index]));
    });
    return () => {
      gone = true;
    };
  }, [port]);
  return port ? screens.map((screen) => ({ ...screen, url: `http://${screen.host}:${port}${screen.path}` })) : [];
}

/** What the frames say: the last report of each screen, and a log of what happened, newest first. */
export function useReports() {
  const frames = useRef(new Map());
  const [state, tell] = useReducer(keep, { reports: {}, log: [], count: 0 });
  useEffect(() => {
    const listen = ({ source, data }) => {
      if (data?.aster !== 1) return;
      for (const [name, frame] of frames.current) if (frame?.contentWindow === source) tell({ screen: name, at: Date.now(), ...data });
    };
    window.addEventListener('message', listen);
    return () => window.removeEventListener('message', listen);
  }, []);
  return { ...state, frameOf: (name) => (frame) => void frames.current.set(name, frame) };
}

function keep({ reports, log, count }, { screen, at, event, status, where }) {
  const before = reports[screen];
  const moved = before && before.status.build !== status.build;
  const text = wordsFor(event, status);
  return {
    reports: { ...reports, [screen]: { status, where, movedAt: moved ? at : before?.movedAt } },
    log: text ? [{ key: count, screen, at, text, build: status.build }, ...log].slice(0, LOG_LENGTH) : log,
    count: count + 1,
  };
}

/** An event of changeover as a sentence, or null when it is of no interest here. */
function wordsFor(event, status) {
  switch (event.type) {
    case 'opened': return `opened on ${status.build}`;
    case 'skewFound': return `runs ${event.from}, the server wants ${event.to}`;
    case 'skewGone': return 'runs what the server wants again';
    case 'promptShown':
      if (event.prompt.busy) return null; // the visitor has answered
      return event.prompt.trouble ? `asks again: ${event.prompt.trouble}` : 'asks its visitor';
    case 'changeoverStarted': return `starts its changeover to ${event.to}`;
    case 'changeoverWaiting': return `waits: ${event.holds.join(', ')}`;
    case 'changeoverAborted': return `stays: ${event.reason}`;
    case 'changeoverDone': return `is on ${event.to} now`;
    case 'stateRestored': return event.restored.length ? `brought back ${event.restored.join(', ')}` : null;
    case 'chunkFailed': return `missed a chunk: ${event.url ?? event.message}`;
    case 'problem': return `has a problem: ${event.message}`;
    default: return null;
  }
}

/** One line for the caption of a screen. */
export function stateOf(report) {
  if (!report) return 'Threading';
  const { level, skew, prompt, holds, changeover } = report.status;
  if (changeover) return changeover.phase === 'draining' ? `Waits: ${holds.map(({ reason }) => reason).join(', ')}` : 'Changing over';
  if (prompt) return 'Asks its visitor';
  if (holds.length) return `Holds: ${holds.map(({ reason }) => reason).join(', ')}`;
  if (skew) return 'Put off';
  if (level === 'loader') return 'Up to date, loader level';
  return level === 'starting' ? 'Threading' : 'Up to date';
}
