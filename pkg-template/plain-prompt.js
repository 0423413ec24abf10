// What asks where the file of the prompt cannot be had: a bar with a sentence and two buttons, in English and in the system's
// colours, like that of the loader. It says what the user has to know before a click: what waits, and what would be lost.
/** @import { AbortReason, Labels, Prompt } from './index.js' */

/** @type {Pick<Labels, 'title' | 'reload' | 'reloadAnyway' | 'later' | 'reloading' | 'stateNotSaved' | 'unreachable' | 'offline' | 'reloadIgnored'>} */
const LABELS = {
  title: 'A new version is ready.',
  reload: 'Reload',
  reloadAnyway: 'Reload anyway',
  later: 'Later',
  reloading: 'Reloading…',
  stateNotSaved: 'Your work could not be saved and may be lost.',
  unreachable: 'The server does not answer.',
  offline: 'You are offline.',
  reloadIgnored: 'The browser did not reload the page.',
};
const STYLE = 'position:fixed;bottom:0;left:0;max-width:100%;box-sizing:border-box;z-index:2147483647;padding:.5em;border:1px solid;background:Canvas;color:CanvasText;font:1rem system-ui';
/** A live region speaks of what changes in it after it is there. */
const NOTICE = 150;

/**
 * @param {{ labels?: Partial<Labels> | null, onReload?: (view: Prompt) => void, onLater?: () => void }} options as of the prompt
 */
export function openPlainPrompt({ labels, onReload, onLater }) {
  const words = { ...LABELS, ...labels };
  let view = /** @type {Prompt} */ (/** @type {unknown} */ (null)); // there from the first update on
  const button = (/** @type {() => void} */ click) => {
    const made = document.createElement('button');
    made.type = 'button';
    made.addEventListener('click', click);
    return made;
  };
  const banner = document.createElement('output');
  banner.lang = 'en';
  banner.style.cssText = STYLE;
  const text = document.createElement('span');
  const reload = button(() => !view.busy && onReload?.(view));
  const later = button(() => view.canSnooze && onLater?.());
  document.documentElement.append(banner);
  const timer = setTimeout(() => banner.append(text, ' ', reload, ' ', later), NOTICE);
  return {
    /** @param {Prompt} next */
    update(next) {
      view = next;
      const { busy, trouble, message, countdownUntil } = view;
      const said = [
        message || words.title,
        words[/** @type {keyof typeof LABELS} */ (trouble)],
        busy && (busy.type === 'holds' ? busy.reasons.join(', ') : words.reloading),
        countdownUntil !== null && !busy && `${words.reload}: ${new Date(countdownUntil).toLocaleTimeString()}`,
      ];
      text.textContent = said.filter(Boolean).join(' ');
      reload.textContent = trouble === 'stateNotSaved' ? words.reloadAnyway : words.reload;
      reload.disabled = Boolean(busy);
      later.textContent = words.later;
      later.hidden = !view.canSnooze;
    },
    close() {
      clearTimeout(timer);
      banner.remove();
    },
  };
}
