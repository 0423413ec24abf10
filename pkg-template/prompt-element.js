// The element <changeover-prompt>: an open shadow root built node by node, which Trusted Types and any CSP allow.
import { applyStyle } from './prompt-style.js';

const NAME = 'changeover-prompt';
const SVG = 'http://www.w3.org/2000/svg';
/** Two arrows that change places. */
const PICTURE = 'M4 9.25h15.5L15.25 5M20 14.75H4.5L8.75 19';

/**
 * @param {{lang: string, dir: string, label: string}} texts
 */
export function buildPrompt({ lang, dir, label }) {
  register();
  const host = document.createElement(NAME);
  const root = host.shadowRoot ?? host.attachShadow({ mode: 'open' });
  /**
   * @template {keyof HTMLElementTagNameMap} Tag
   * @param {Tag} tag
   * @param {string} name
   */
  const part = (tag, name) => {
    const element = document.createElement(tag);
    element.setAttribute('part', name);
    return element;
  };
  /** @param {string} name */
  const button = (name) => {
    const element = part('button', name);
    element.type = 'button';
    return element;
  };

  const parts = {
    panel: part('div', 'panel'),
    title: part('p', 'title'),
    message: part('p', 'message'),
    trouble: part('p', 'trouble'),
    waiting: part('p', 'waiting'),
    countdown: part('p', 'countdown'),
    progress: part('div', 'progress'),
    bar: document.createElement('i'),
    reload: button('reload'),
    later: button('later'),
    spoken: document.createElement('div'),
  };
  const { panel, title, message, trouble, waiting, countdown, progress, bar, reload, later, spoken } = parts;

  panel.setAttribute('role', 'region');
  panel.setAttribute('aria-label', label);
  panel.lang = lang;
  panel.dir = dir;
  message.dir = 'auto'; // the release's words may be in another language
  // The live region says it, once and at sensible moments; the ticking text would be read every second.
  countdown.setAttribute('aria-hidden', 'true');
  progress.setAttribute('aria-hidden', 'true');
  spoken.className = 'spoken';
  spoken.setAttribute('role', 'status');
  spoken.setAttribute('aria-atomic', 'true');
  spoken.lang = lang;

  const picture = document.createElementNS(SVG, 'svg');
  const lines = document.createElementNS(SVG, 'path');
  picture.setAttribute('viewBox', '0 0 24 24');
  picture.setAttribute('aria-hidden', 'true');
  const drawing = { d: PICTURE, fill: 'none', stroke: 'currentColor', 'stroke-width': '2', 'stroke-linecap': 'round', 'stroke-linejoin': 'round' };
  for (const [name, value] of Object.entries(drawing)) lines.setAttribute(name, value);
  picture.append(lines);

  const words = document.createElement('div');
  const actions = document.createElement('div');
  actions.className = 'actions';
  actions.append(reload, later);
  progress.append(bar);
  words.append(title, message, trouble, waiting, countdown, progress);
  panel.append(picture, words, actions);
  root.append(panel, spoken);
  applyStyle(root, { panel, picture, spoken });
  return { host, parts };
}

/** Once a page, whatever number of copies of this module there are; without the registry a plain element does as well. */
function register() {
  try {
    if (!customElements.get(NAME)) customElements.define(NAME, class extends HTMLElement {});
  } catch {}
}
