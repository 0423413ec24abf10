// Form fields, focus, selection and scroll positions, carried to the next page. Only for apps that ask for it.
//
// Captured are fields that differ from their default or that the user has changed; never passwords, hidden fields, files,
// fields whose `autocomplete` says that they hold a password, a one-time code or something of a card, and whatever is
// inside `data-changeover-skip`. A field is known by its id, else its name and form, else where it stands, and takes a value
// back only if it is of the same type and the user has not been quicker.
/** @import { Markup } from './types/state.js' */

const NEVER = /^(password|hidden|file|submit|button|image|reset)$/;
const SECRET = /(^|\s)(cc-\S+|current-password|new-password|one-time-code)(\s|$)/i;
const INERT = /^(script|style|link|meta|base|iframe|object|embed)$/;
const TICKED = /^(checkbox|radio)$/;
const INSIDE = ' >>> ';
const SKIP = '[data-changeover-skip]';

/**
 * An input, a text area, a select or a part of the page that can be edited: what each of them has.
 *
 * @typedef {HTMLElement
 *   & Partial<Pick<HTMLInputElement, 'type' | 'name' | 'value' | 'form' | 'disabled'>>
 *   & Partial<Pick<HTMLInputElement, 'checked' | 'defaultChecked' | 'defaultValue'>>
 *   & Partial<Pick<HTMLSelectElement, 'options' | 'multiple' | 'selectedIndex'>>
 * } Field
 */
/** @typedef {string | boolean | Markup[]} Value a list: the values of options, or what stands in a part that can be edited */
/** @typedef {[key: string, kept: [kind: string, value: Value]]} KeptField */
/** @typedef {number[]} Way to a place in a tree: the number of each child, and the offset in the last one */
/** @typedef {[from: number | Way | null, to: number | Way | null, direction?: HTMLInputElement['selectionDirection']]} Selected */
/** @typedef {[key: string, ...selection: Selected]} Focus */
/** @typedef {[path: string, left: number, top: number]} Scroll */
/** @typedef {{ at: string, fields: KeptField[], focus: Focus | null, scroll: Scroll[] }} Captured */
/** @typedef {ReturnType<typeof setTimeout>} Timer */
/**
 * What waits to be put in place.
 *
 * @typedef {{
 *   at: string,
 *   fields: Map<string, KeptField[1]>,
 *   focus: Focus | null,
 *   scroll: Scroll[] | null | undefined,
 *   observer: MutationObserver,
 *   end: Timer,
 *   soon?: Timer | null,
 * }} Work
 */
/** @typedef {Document | ShadowRoot} Scope */

/**
 * @param {{root?: Document, patience?: number}} [options] `patience`: how long fields are waited for that the app renders late
 */
export function createFields({ root = document, patience = 10_000 } = {}) {
  /** @type {WeakSet<Element>} */
  const touched = new WeakSet(); // by the user, on this page
  /** @type {WeakSet<Element>} */
  const carried = new WeakSet(); // by the user, on the page before
  /** @type {WeakSet<Element>} */
  const secret = new WeakSet(); // has been a password field, though it may show its text now
  const idle = () => navigator.userActivation?.hasBeenActive === false;
  let moved = false;
  /** @type {Work | null} */
  let pending = null;

  /** @param {Field} field */
  const allowed = (field) =>
    !NEVER.test(/** @type {string} */ (field.type)) &&
    !secret.has(field) &&
    !SECRET.test(/** @type {string} */ (field.getAttribute('autocomplete'))) &&
    !skipped(field) &&
    !field.querySelector(SKIP);

  const changed = (/** @type {Field} */ field) => touched.has(field) || carried.has(field) || differs(field);

  /** All fields by their keys. */
  const fields = () => {
    /** @type {Map<string, Field>} */
    const found = new Map();
    /** @type {Map<string, number>} */
    const times = new Map();
    for (const element of everything(root)) {
      if (!isField(element)) continue;
      if (element.type === 'password') secret.add(element);
      const key = keyOf(element);
      const nth = (times.get(key) ?? 0) + 1;
      times.set(key, nth);
      found.set(nth > 1 ? `${key} ${nth}` : key, element);
    }
    return found;
  };

  const notice = (/** @type {Event} */ event) => {
    if (!event.isTrusted) return;
    const [target] = /** @type {Field[]} */ (event.composedPath());
    if (target.type === 'password') secret.add(target);
    if (event.type === 'input') touched.add(target);
    else if (event.type !== 'focusin') moved = true;
  };
  const listened = ['input', 'focusin', 'wheel', 'touchmove', 'pointerdown', 'keydown'];
  for (const type of listened) root.addEventListener(type, notice, { capture: true, passive: true });
  // What differs already may be the user's, unless nothing was pressed so far; then it is the app's or the browser's.
  for (const field of fields().values()) if (!idle() && differs(field)) touched.add(field);

  const stop = () => {
    if (!pending) return;
    pending.observer.disconnect();
    clearTimeout(pending.end);
    clearTimeout(/** @type {Timer} */ (pending.soon));
    pending = null;
  };

  const settle = () => {
    const work = /** @type {Work} */ (pending);
    work.soon = null;
    if (work.at === place()) apply(work);
    if (work !== pending) return; // a listener of the app ended it
    if (!work.fields.size && !work.focus && !work.scroll?.length) stop();
    else for (const scope of [root, ...shadows(root)]) work.observer.observe(scope, { childList: true, subtree: true });
  };

  const apply = (/** @type {Work} */ work) => {
    const there = fields();
    for (const [key, [kind, value]] of work.fields) {
      const field = there.get(key);
      if (!field || kindOf(field) !== kind || !allowed(field)) continue;
      if (!touched.has(field)) {
        try {
          if (!fill(field, value)) continue;
        } catch {
          // It is no value of such a field; the others come all the same.
        }
        carried.add(field);
      }
      work.fields.delete(key);
    }
    if (moved) work.focus = work.scroll = null;
    const [key, ...selection] = work.focus ?? [];
    const wanted = key && (there.get(key) ?? find(root, key));
    if (wanted && !work.fields.has(key)) {
      if (idle() || /** @type {(Element | null)[]} */ ([null, root.body]).includes(root.activeElement))
        focus(/** @type {HTMLInputElement} */ (wanted), /** @type {Selected} */ (selection));
      work.focus = null;
    }
    work.scroll = work.scroll?.filter(([path, left, top]) => {
      const element = find(root, path);
      element?.scrollTo({ left, top, behavior: 'instant' });
      return !element || Math.abs(element.scrollTop - top) + Math.abs(element.scrollLeft - left) > 2;
    });
  };

  return {
    /** @returns {Captured | undefined} */
    capture() {
      const there = fields();
      const kept = new Map(pending?.at === place() ? pending.fields : []);
      for (const [key, field] of there) {
        if (kept.has(key) && allowed(field) && !touched.has(field)) continue; // it still waits, say for its options
        kept.delete(key);
        // The radio button that is not chosen says nothing.
        if (allowed(field) && changed(field) && !(field.type === 'radio' && !field.checked)) kept.set(key, [kindOf(field), valueOf(field)]);
      }
      /** @type {Scroll[]} */
      const scroll = [];
      for (const element of everything(root)) {
        const { scrollLeft, scrollTop } = element;
        if (scrollLeft || scrollTop) scroll.push([pathOf(element), scrollLeft, scrollTop]);
      }
      let active = root.activeElement;
      while (active?.shadowRoot?.activeElement) active = active.shadowRoot.activeElement;
      const key = [...there].find(([, field]) => field === active)?.[0];
      const unseen = !active || active === root.body || (key ? !allowed(/** @type {Field} */ (active)) : skipped(active));
      /** @type {Focus | null} */
      const focus = unseen
        ? null
        : [key ?? pathOf(/** @type {Element} */ (active)), ...selectionIn(/** @type {HTMLElement} */ (active))];
      return kept.size || focus || scroll.length ? { at: place(), fields: [...kept], focus, scroll } : undefined;
    },

    /** @param {Captured} captured */
    restore({ at, fields, focus, scroll }) {
      stop();
      pending = {
        at, focus, scroll,
        fields: new Map(fields),
        observer: new MutationObserver(() => (/** @type {Work} */ (pending).soon ??= setTimeout(settle, 50))),
        end: setTimeout(stop, patience),
      };
      settle();
    },

    dispose() {
      stop();
      for (const type of listened) root.removeEventListener(type, notice, { capture: true });
    },
  };
}

/** Where the app is; a hash counts if it is a route. */
const place = () => location.pathname + (/^#[/!]/.test(location.hash) ? location.hash : '');

/**
 * @param {Scope} scope
 * @returns {Generator<Element, void>}
 */
function* everything(scope) {
  for (const element of scope.querySelectorAll('*')) {
    yield element;
    if (element.shadowRoot) yield* everything(element.shadowRoot);
  }
}

const shadows = (/** @type {Scope} */ root) =>
  /** @type {ShadowRoot[]} */ ([...everything(root)].map(({ shadowRoot }) => shadowRoot).filter(Boolean));

/**
 * @param {Element} element
 * @returns {element is Field}
 */
const isField = (element) =>
  element.matches('input,textarea,select') ||
  (element.matches('[contenteditable]') &&
    /** @type {HTMLElement} */ (element).isContentEditable &&
    !element.parentElement?.isContentEditable);

const kindOf = (/** @type {Field} */ field) => field.type ?? 'contenteditable';

/** @type {(element: Element) => unknown} */
const skipped = (element) => {
  const { host } = /** @type {Partial<ShadowRoot>} */ (element.getRootNode());
  return element.closest(SKIP) || (host && skipped(host));
};

/**
 * By id, else by name and form, else by place. Not unique.
 *
 * @param {Field} field
 */
function keyOf(field) {
  const { id, name, form, type, value } = field;
  if (id || !name) return pathOf(field);
  const { host } = /** @type {Partial<ShadowRoot>} */ (field.getRootNode());
  const named =
    form &&
    (form.getAttribute('id') ||
      form.getAttribute('name') ||
      [.../** @type {Scope} */ (form.getRootNode()).querySelectorAll('form')].indexOf(form));
  return `${host ? pathOf(host) + INSIDE : ''}@${named ?? ''}/${name}${TICKED.test(/** @type {string} */ (type)) ? `=${value}` : ''}`;
}

/**
 * A selector for each shadow tree on the way.
 *
 * @param {Element} element
 * @returns {string}
 */
function pathOf(element) {
  const { localName, parentElement } = element;
  const { host } = /** @type {Partial<ShadowRoot>} */ (element.getRootNode());
  const id = element.getAttribute('id');
  let nth = 1;
  for (let /** @type {Element | null} */ before = element; (before = before.previousElementSibling); )
    if (before.localName === localName) nth += 1;
  const own = id ? `#${CSS.escape(id)}` : `${localName}:nth-of-type(${nth})`;
  if (!id && parentElement) return `${pathOf(parentElement)}>${own}`;
  return host ? pathOf(host) + INSIDE + (id ? own : `:host>${own}`) : own;
}

/** @type {(root: Document & { shadowRoot?: undefined }, path: string) => Element | null | undefined} */
function find(root, path) {
  try {
    return /** @type {Element | null | undefined} */ (
      path.split(INSIDE).reduce(
        (/** @type {typeof root | Element | null | undefined} */ scope, selector) =>
          (scope?.shadowRoot ?? scope)?.querySelector(selector),
        root,
      )
    );
  } catch {
    return null; // the key of a field, not a selector
  }
}

/** @param {Field} field */
function differs(field) {
  if (TICKED.test(/** @type {string} */ (field.type))) return field.checked !== field.defaultChecked;
  if (field.options) {
    const options = [...field.options];
    const preset = field.multiple || options.some(({ defaultSelected }) => defaultSelected);
    return preset
      ? options.some(({ selected, defaultSelected }) => selected !== defaultSelected)
      : /** @type {number} */ (field.selectedIndex) > 0;
  }
  // A slider and a colour have a value where none is given.
  return (
    field.value !== field.defaultValue &&
    (field.defaultValue !== '' || !/^(range|color)$/.test(/** @type {string} */ (field.type)))
  );
}

/**
 * @param {Field} field
 * @returns {Value}
 */
function valueOf(field) {
  if (TICKED.test(/** @type {string} */ (field.type))) return /** @type {boolean} */ (field.checked);
  if (field.options) return [...field.options].filter(({ selected }) => selected).map(({ value }) => value);
  return field.type ? /** @type {string} */ (field.value) : /** @type {Markup[]} */ (written(field).slice(2));
}

/**
 * Gives the field its value as if the user had; false when it cannot have it yet.
 *
 * @param {Field} field
 * @param {Value} value
 */
function fill(field, value) {
  if (TICKED.test(/** @type {string} */ (field.type))) {
    // A click is what every framework listens to here, and it tells of itself.
    if (field.checked !== value && !field.disabled) return field.click(), true;
    field.checked = /** @type {boolean} */ (value);
  } else if (field.options) {
    const options = [...field.options];
    if (/** @type {Markup[]} */ (value).some((wanted) => !options.some((option) => option.value === wanted))) return false;
    for (const option of options) option.selected = /** @type {Markup[]} */ (value).includes(option.value);
  } else if (field.type) {
    // React puts a setter of its own on the element and would think that it knows the value already.
    const { prototype } = field.localName === 'input' ? HTMLInputElement : HTMLTextAreaElement;
    const { set } = /** @type {{ set: (value: Value) => void }} */ (Object.getOwnPropertyDescriptor(prototype, 'value'));
    set.call(field, value);
  } else field.replaceChildren(.../** @type {Markup[]} */ (value).map(read));
  for (const type of ['input', 'change']) field.dispatchEvent(new Event(type, { bubbles: true, composed: type === 'input' }));
  return true;
}

/**
 * A tree as plain lists: no markup that a policy for trusted types would refuse.
 *
 * @type {(node: Node) => Markup}
 */
const written = (node) =>
  node.nodeType === 1
    ? [
        /** @type {Element} */ (node).localName,
        [.../** @type {Element} */ (node).attributes].map(({ name, value }) => [name, value]),
        ...[...node.childNodes].map(written),
      ]
    : (/** @type {CharacterData} */ (node).data ?? '');

/** @type {(item: Markup) => Node | string} */
function read(item) {
  if (typeof item === 'string') return document.createTextNode(item);
  const [name, attributes, ...children] = item;
  if (INERT.test(name)) return '';
  const element = document.createElement(name);
  for (const [name, value] of attributes) if (!/^on/i.test(name)) element.setAttribute(name, value);
  element.append(...children.map(read));
  return element;
}

/**
 * @param {HTMLElement & Partial<HTMLInputElement>} element
 * @returns {Selected}
 */
function selectionIn(element) {
  if (!element.isContentEditable)
    return /** @type {Selected} */ (
      [element.selectionStart, element.selectionEnd, element.selectionDirection].map((it) => it ?? null)
    );
  const { anchorNode, anchorOffset, focusNode, focusOffset } = /** @type {Selection} */ (getSelection());
  /** @type {(node: Node | null, way: Way) => Way | null} */
  const wayTo = (node, way) => {
    for (; node && node !== element; node = node.parentNode) way.unshift([...(node.parentNode?.childNodes ?? [])].indexOf(/** @type {ChildNode} */ (node)));
    return node && way; // the selection may be somewhere else
  };
  return [wayTo(anchorNode, [anchorOffset]), wayTo(focusNode, [focusOffset])];
}

/**
 * @param {HTMLElement & Pick<HTMLInputElement, 'setSelectionRange'>} element
 * @param {Selected} selection
 */
function focus(element, [from, to, direction]) {
  element.focus({ preventScroll: true });
  try {
    if (!element.isContentEditable)
      return from !== null && element.setSelectionRange(/** @type {number} */ (from), /** @type {number} */ (to), direction ?? undefined);
    /** @type {(way: Way) => [node: Node, offset: number]} */
    const at = (way) => [
      way.slice(0, -1).reduce((/** @type {Node} */ node, nth) => node.childNodes[nth], element),
      /** @type {number} */ (way.at(-1)),
    ];
    /** @type {Selection} */ (getSelection()).setBaseAndExtent(...at(/** @type {Way} */ (from)), ...at(/** @type {Way} */ (to)));
  } catch {
    // The content is another one than it was; the focus is enough.
  }
}
