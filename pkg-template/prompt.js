// The prompt: one small, accessible card in a corner that asks to reload. It never takes the focus, never blocks the
// page, and says everything once to a screen reader.
//
// In order: createPrompt() -> show(view) builds the element, puts it in the top layer and speaks -> show(view) again
// updates what changed -> hide() removes it, with every timer and listener, and gives the focus back.
import { chooseLabels } from './prompt-labels.js';
import { buildPrompt } from './prompt-element.js';
export { stamp } from './stamp.js';
/** @import { AbortReason, Labels, Prompt, Reason } from './index.js' */

/** Longest message of a release that is shown, in characters. */
const MESSAGE = 500;
/** Longest reason of a hold. */
const REASON = 80;
/** How often the prompt checks that it is still where it can be reached: an app may wipe the document or open a modal dialog. */
const PLACE = 400;
/** Seconds left of a countdown that are worth interrupting a screen reader for. */
const SPOKEN_SECONDS = [60, 30, 10];
/** A screen reader notices a live region first, then what is put into it. */
const NOTICE = 150;

/** @typedef {NonNullable<Prompt['busy']>} Busy */
/**
 * @typedef {object} PromptOptions
 * @property {string | null} [lang]
 * @property {Partial<Labels> | null} [labels]
 * @property {(view: Prompt) => void} [onReload] receives the view the user saw when pressing the button
 * @property {() => void} [onLater]
 */

/** @type {Partial<Record<Reason, keyof Labels>>} */
const TITLES = { chunkFailed: 'requiredTitle', reloadDidNotTake: 'retryTitle' };
/** @type {Partial<Record<Reason, keyof Labels>>} */
const TEXTS = { chunkFailed: 'requiredText', reloadDidNotTake: 'retryText' };
/** @type {(AbortReason | null)[]} */
const TROUBLES = ['offline', 'unreachable', 'stateNotSaved', 'reloadIgnored'];

/**
 * A prompt that can be shown and hidden any number of times.
 *
 * @param {PromptOptions} options
 */
export function createPrompt(options = {}) {
  /** @type {ReturnType<typeof openPrompt> | null} */
  let open = null;
  return {
    /** @param {Prompt} view */
    show(view) {
      open ??= openPrompt(options);
      open.update(view);
    },
    hide() {
      open?.close();
      open = null;
    },
  };
}

/**
 * Shows one prompt at once; the caller updates and closes it.
 *
 * @param {Prompt} view
 * @param {Omit<PromptOptions, 'onReload'> & { onReload?: () => void }} options
 */
export function showPrompt(view, { onReload, onLater, lang, labels } = {}) {
  const prompt = createPrompt({ lang, labels, onReload: () => onReload?.(), onLater });
  prompt.show(view);
  return { update: prompt.show, close: prompt.hide };
}

/** @param {PromptOptions} options */
function openPrompt({ lang: wanted, labels: replaced, onReload, onLater }) {
  const page = document.documentElement;
  const { labels, lang, dir } = chooseLabels([wanted, page.lang, ...(navigator.languages ?? [navigator.language])], replaced);
  const prompt = buildPrompt({ lang, dir, label: labels.region });
  const { host, parts } = prompt;
  let view = /** @type {Prompt} */ (/** @type {unknown} */ (null)); // there from the first update on
  /** @type {{ until: number, left: number, seconds: number } | null} */
  let started = null; // of the countdown: when, and how much was left
  /** @type {HTMLElement | null} */
  let before = null; // what had the focus before the prompt
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let voice; // the timer of what is about to be said

  /** @param {(string | null)[]} texts */
  const speak = (...texts) => {
    clearTimeout(voice);
    parts.spoken.textContent = ''; // the same words again are news, too
    voice = setTimeout(() => (parts.spoken.textContent = sentences(texts)), NOTICE);
  };

  const accept = () => !view.busy && onReload?.(view);
  const goes = () => Boolean(view.busy) && /** @type {Busy} */ (view.busy).type !== 'holds';
  const putOff = () => view.canSnooze && !goes() && onLater?.();

  /** @param {Prompt} next */
  const update = (next) => {
    const past = view;
    view = next;
    const kind = view.trouble === 'reloadDidNotTake' ? 'reloadDidNotTake' : view.reason;
    const title = labels[TITLES[kind] ?? 'title'];
    const trouble = TROUBLES.includes(view.trouble) ? labels[/** @type {keyof Labels} */ (view.trouble)] : '';
    const waits = () => fill(labels.waiting, 'reasons', list(/** @type {Busy} */ (view.busy).type === 'holds' ? /** @type {{ reasons: string[] }} */ (view.busy).reasons : ['Service Worker'], lang));
    const waiting = !view.busy ? '' : view.busy.type === 'reloading' ? labels.reloading : waits();

    // "When it suits you" is wrong where something else is going on.
    const calm = !trouble && !waiting && view.countdownUntil == null;
    const message = cut(String(view.message ?? '').trim(), MESSAGE) || (TEXTS[kind] ? labels[TEXTS[kind]] : calm ? labels.text : '');

    const renewed = past?.sequence !== view.sequence || parts.title.textContent !== title;
    write(parts.title, title);
    write(parts.message, message);
    write(parts.trouble, trouble);
    write(parts.waiting, waiting);
    write(parts.reload, view.trouble === 'stateNotSaved' ? labels.reloadAnyway : labels.reload);
    write(parts.later, view.canSnooze ? labels.later : '');
    parts.reload.setAttribute('aria-disabled', String(Boolean(view.busy)));
    parts.later.setAttribute('aria-disabled', String(goes()));
    tick();

    if (renewed) speak(title, message, trouble, waiting, parts.countdown.textContent);
    else if (trouble && view.trouble !== past.trouble) speak(trouble);
    else if (waiting && JSON.stringify(view.busy) !== JSON.stringify(past.busy)) speak(waiting);
  };

  const tick = () => {
    const counting = view.countdownUntil != null && !view.busy;
    parts.progress.hidden = !counting;
    if (!counting) {
      started = null;
      return write(parts.countdown, '');
    }
    const left = Math.max(0, /** @type {number} */ (view.countdownUntil) - Date.now());
    const seconds = Math.ceil(left / 1000);
    if (started?.until !== /** @type {number} */ (view.countdownUntil)) started = { until: /** @type {number} */ (view.countdownUntil), left: Math.max(1, left), seconds };
    const text = fill(labels.countdown, 'seconds', String(seconds));
    write(parts.countdown, text);
    parts.bar.style.transform = `scaleX(${Math.min(1, left / started.left)})`;
    if (SPOKEN_SECONDS.some((point) => seconds <= point && /** @type {{ seconds: number }} */ (started).seconds > point)) speak(text);
    started.seconds = seconds;
  };

  const place = () => {
    const parent = topDialog(host) ?? page;
    if (host.parentNode !== parent) parent.append(host);
    raise(host);
  };
  const rounds = setInterval(() => {
    try {
      place();
      tick();
    } catch {}
  }, PLACE);

  parts.reload.addEventListener('click', accept);
  parts.later.addEventListener('click', putOff);
  host.addEventListener('focusin', ({ relatedTarget }) => {
    if (relatedTarget && !host.contains(/** @type {Node} */ (relatedTarget))) before = /** @type {HTMLElement} */ (relatedTarget);
  });
  // What happens in the prompt is no business of the app: no shortcut, no "clicked outside".
  for (const type of ['keydown', 'keyup', 'keypress', 'click', 'pointerdown', 'pointerup', 'mousedown', 'mouseup', 'touchstart', 'touchend'])
    host.addEventListener(type, (event) => event.stopPropagation(), { passive: true });
  parts.panel.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape' || event.isComposing || !view.canSnooze) return;
    event.preventDefault();
    putOff();
  });

  place();
  return {
    update,
    close() {
      clearInterval(rounds);
      clearTimeout(voice);
      const focused = document.activeElement === host || host.matches(':focus-within');
      host.remove();
      if (focused && before?.isConnected) before.focus({ preventScroll: true });
    },
  };
}

/**
 * Writes only what changed, so that nothing is read out twice; hides what has no text.
 *
 * @param {HTMLElement} part
 * @param {string} text
 */
function write(part, text) {
  if (part.textContent !== text) part.textContent = text;
  part.hidden = !text;
}

/** @type {(text: string, most: number) => string} */
function cut(text, most) {
  return text.length > most ? `${text.slice(0, most - 1).trimEnd()}…` : text;
}

/** @type {(pattern: string, name: string, value: string) => string} */
function fill(pattern, name, value) {
  const place = `{${name}}`;
  return pattern.includes(place) ? pattern.split(place).join(value) : `${pattern} ${value}`;
}

/**
 * Texts of which some end like sentences and some do not, as a voice should read them.
 *
 * @param {(string | null)[]} texts
 */
function sentences(texts) {
  return /** @type {string[]} */ (texts.filter(Boolean)).map((text) => (/[\p{P}]$/u.test(text) ? text : `${text}.`)).join(' ');
}

/** @type {(items: string[], lang: string) => string} */
function list(items, lang) {
  const texts = (items ?? []).map((item) => cut(String(item), REASON));
  try {
    return new Intl.ListFormat(lang, { style: 'short', type: 'unit' }).format(texts);
  } catch {
    return texts.join(', ');
  }
}

/**
 * The modal dialog in front, if there is one: everything outside of it is inert, so the prompt has to go inside.
 *
 * @param {HTMLElement} host
 */
function topDialog(host) {
  try {
    let element = document.activeElement;
    while (element?.shadowRoot?.activeElement && element !== host) element = element.shadowRoot.activeElement;
    const around = element === host ? host.parentElement : element;
    return around?.closest('dialog:modal') ?? [...document.querySelectorAll('dialog:modal')].pop() ?? null;
  } catch {
    return null; // a browser that does not know :modal
  }
}

/**
 * Into the top layer, above the app's own popovers and full-screen elements.
 *
 * @param {HTMLElement} host
 */
function raise(host) {
  if (!host.showPopover) return; // an older browser: the z-index has to do
  try {
    host.popover = 'manual';
    if (!host.matches(':popover-open')) host.showPopover();
  } catch {} // an app may take it out of the document at any moment
}
