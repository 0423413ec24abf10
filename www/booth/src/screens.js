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
    reports: { ...reports, [screen]: { status, where, movedAt: moved ? at : before?.movedAt, last: outcomeOf(event, before?.last) ?? before?.last } },
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
    case 'swapRefused': return `cannot swap to ${event.to}: ${reasonsOf(event)}`;
    case 'swapEnded': return wordsForSwap(event);
    case 'changeoverStarted': return `starts its changeover to ${event.to}`;
    case 'changeoverWaiting': return `waits: ${event.holds.join(', ') || event.reason}`;
    case 'changeoverAborted': return `stays: ${event.reason}`;
    case 'changeoverDone': return `is on ${event.to} now`;
    case 'stateRestored': return event.restored.length ? `brought back ${event.restored.join(', ')}` : null;
    case 'chunkFailed': return `missed a chunk: ${event.url ?? event.message}`;
    case 'problem': return `has a problem: ${event.message}`;
    default: return null;
  }
}

function wordsForSwap({ outcome, to, slots, reason, slot, message }) {
  const which = slots.map(shortly).join(', ');
  switch (outcome) {
    case 'committed': return `keeps ${to}, swapped in the open page: ${which || 'styles alone'}`;
    case 'rolledBack': return `went back, since ${to} broke (${reason}${slot ? ` in ${shortly(slot)}` : ''}${message ? `: ${message}` : ''})`;
    case 'aborted': return `stays as it was, ${to} was not put in place (${reason}${message ? `: ${message}` : ''})`;
    case 'kept': return `keeps ${to} although it broke, since it has written data (${reason})`;
    default: return `needs a refresh: ${reason}`;
  }
}

/** What became of the last release on a screen: `{kind, text, changeover?}`; empty while that is open, null for an event that decides nothing. */
function outcomeOf(event, last) {
  switch (event.type) {
    case 'changeoverStarted': return {};
    case 'swapRefused': // after a swap that failed, its outcome says more
      return event.refusals.every(({ why }) => why === 'badBuild') ? null : { kind: 'asked', text: `Asked: ${firstOf(event)}` };
    case 'promptShown':
      return event.prompt.busy || event.prompt.reason === 'newBuild' ? null : { kind: 'asked', text: `Asked: ${event.prompt.reason}` };
    case 'changeoverDone': // a swap has told already
      return event.changeover === last?.changeover ? null : { kind: 'reloaded', text: `Reloaded to ${event.to}` };
    case 'swapEnded': {
      const { changeover, outcome, slots, reason, message } = event;
      const why = message ?? reason;
      switch (outcome) {
        case 'committed': return { kind: 'swapped', text: `Swapped: ${slots.map(shortly).join(', ') || 'styles'}`, changeover };
        case 'kept': return { kind: 'swapped', text: `Swapped and kept, though it broke: ${why}`, changeover };
        case 'rolledBack': return { kind: 'rolledBack', text: `Rolled back: ${why}`, changeover };
        case 'aborted': return { kind: 'rolledBack', text: `Not swapped: ${why}`, changeover };
        default: return { kind: 'asked', text: `Needs a refresh: ${why}`, changeover };
      }
    }
    default: return null;
  }
}

const shortly = (id) => id.replace(/^.*\//, '').replace(/\.\w+$/, '');
const firstOf = ({ refusals: [first, ...others] }) => reasonsOf({ refusals: [first] }) + (others.length ? ` and ${others.length} more` : '');
const reasonsOf = ({ refusals }) => refusals.map(({ why, slot, root }) => [why, root.at(-1) ?? slot].filter(Boolean).join(' by ')).join(', ');

/** One line for the caption of a screen. */
export function stateOf(report) {
  if (!report) return 'Threading';
  const { level, skew, prompt, holds, changeover } = report.status;
  if (changeover?.phase === 'swapping') return 'Swaps in the open page';
  if (changeover?.phase === 'probation') return 'Shows the new code on trial';
  if (changeover) return changeover.phase === 'draining' ? `Waits: ${holds.map(({ reason }) => reason).join(', ')}` : 'Changing over';
  if (prompt) return 'Asks its visitor';
  if (holds.length) return `Holds: ${holds.map(({ reason }) => reason).join(', ')}`;
  if (skew) return 'Put off';
  if (level === 'loader') return 'Up to date, loader level';
  return level === 'starting' ? 'Threading' : 'Up to date';
}
