// Form fields, focus, selection and scroll positions, carried to the next page. Only for apps that ask for it.
//
// Captured are fields that differ from their default or that the user has changed; never passwords, hidden fields, files,
// fields whose `autocomplete` says that they hold a password, a one-time code or something of a card, and whatever is
// inside `data-changeover-skip`. A field is known by its id, else its name and form, else where it stands, and takes a value
// back only if it is of the same type and the user has not been quicker.

const NEVER = /^(password|hidden|file|submit|button|image|reset)$/;
const SECRET = /(^|\s)(cc-\S+|current-password|new-password|one-time-code)(\s|$)/i;
const INERT = /^(script|style|link|meta|base|iframe|object|embed)$/;
const TICKED = /^(checkbox|radio)$/;
const INSIDE = ' >>> ';
const SKIP = '[data-changeover-skip]';

/**
 * @param {{root?: Document, patience?: number}} options `patience`: how long fields are waited for that the app renders late
 */
export function createFields({ root = document, patience = 10_000 } = {}) {
  const touched = new WeakSet(); // by the user, on this page
  const carried = new WeakSet(); // by the user, on the page before
  const secret = new WeakSet(); // has been a password field, though it may show its text now
  const idle = () => navigator.userActivation?.hasBeenActive === false;
  let moved = false;
  let pending = null;

  const allowed = (field) => !NEVER.test(field.type) && !secret.has(field) && !SECRET.test(field.getAttribute('autocomplete')) && !skipped(field) && !field.querySelector(SKIP);

  const changed = (field) => touched.has(field) || carried.has(field) || differs(field);

  /** All fields by their keys. */
  const fields = () => {
    const found = new Map();
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

  const notice = (event) => {
    if (!event.isTrusted) return;
    const [target] = event.composedPath();
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
    clearTimeout(pending.soon);
    pending = null;
  };

  const settle = () => {
    const work = pending;
    work.soon = null;
    if (work.at === place()) apply(work);
    if (work !== pending) return; // a listener of the app ended it
    if (!work.fields.size && !work.focus && !work.scroll?.length) stop();
    else for (const scope of [root, ...shadows(root)]) work.observer.observe(scope, { childList: true, subtree: true });
  };

  const apply = (work) => {
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
      if (idle() || [null, root.body].includes(root.activeElement)) focus(wanted, selection);
      work.focus = null;
    }
    work.scroll = work.scroll?.filter(([path, left, top]) => {
      const element = find(root, path);
      element?.scrollTo({ left, top, behavior: 'instant' });
      return !element || Math.abs(element.scrollTop - top) + Math.abs(element.scrollLeft - left) > 2;
    });
  };

  return {
    capture() {
      const there = fields();
      const kept = new Map(pending?.at === place() ? pending.fields : []);
      for (const [key, field] of there) {
        if (kept.has(key) && allowed(field) && !touched.has(field)) continue; // it still waits, say for its options
        kept.delete(key);
        // The radio button that is not chosen says nothing.
        if (allowed(field) && changed(field) && !(field.type === 'radio' && !field.checked)) kept.set(key, [kindOf(field), valueOf(field)]);
      }
      const scroll = [];
      for (const element of everything(root)) {
        const { scrollLeft, scrollTop } = element;
        if (scrollLeft || scrollTop) scroll.push([pathOf(element), scrollLeft, scrollTop]);
      }
      let active = root.activeElement;
      while (active?.shadowRoot?.activeElement) active = active.shadowRoot.activeElement;
      const key = [...there].find(([, field]) => field === active)?.[0];
      const unseen = !active || active === root.body || (key ? !allowed(active) : skipped(active));
      const focus = unseen ? null : [key ?? pathOf(active), ...selectionIn(active)];
      return kept.size || focus || scroll.length ? { at: place(), fields: [...kept], focus, scroll } : undefined;
    },

    restore({ at, fields, focus, scroll }) {
      stop();
      pending = {
        at, focus, scroll,
        fields: new Map(fields),
        observer: new MutationObserver(() => (pending.soon ??= setTimeout(settle, 50))),
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

/** Registers the fields of a page until it is disposed. */
export function carryFields(page, register) {
  const fields = createFields();
  register(fields);
  const { dispose } = page;
  page.dispose = () => {
    fields.dispose();
    dispose();
  };
  return fields;
}

/** Where the app is; a hash counts if it is a route. */
const place = () => location.pathname + (/^#[/!]/.test(location.hash) ? location.hash : '');

function* everything(scope) {
  for (const element of scope.querySelectorAll('*')) {
    yield element;
    if (element.shadowRoot) yield* everything(element.shadowRoot);
  }
}

const shadows = (root) => [...everything(root)].map(({ shadowRoot }) => shadowRoot).filter(Boolean);

const isField = (element) => element.matches('input,textarea,select') || (element.matches('[contenteditable]') && element.isContentEditable && !element.parentElement?.isContentEditable);

const kindOf = (field) => field.type ?? 'contenteditable';

const skipped = (element) => {
  const { host } = element.getRootNode();
  return element.closest(SKIP) || (host && skipped(host));
};

/** By id, else by name and form, else by place. Not unique. */
function keyOf(field) {
  const { id, name, form, type, value } = field;
  if (id || !name) return pathOf(field);
  const { host } = field.getRootNode();
  const named = form && (form.getAttribute('id') || form.getAttribute('name') || [...form.getRootNode().querySelectorAll('form')].indexOf(form));
  return `${host ? pathOf(host) + INSIDE : ''}@${named ?? ''}/${name}${TICKED.test(type) ? `=${value}` : ''}`;
}

/** A selector for each shadow tree on the way. */
function pathOf(element) {
  const { localName, parentElement } = element;
  const { host } = element.getRootNode();
  const id = element.getAttribute('id');
  let nth = 1;
  for (let before = element; (before = before.previousElementSibling); ) if (before.localName === localName) nth += 1;
  const own = id ? `#${CSS.escape(id)}` : `${localName}:nth-of-type(${nth})`;
  if (!id && parentElement) return `${pathOf(parentElement)}>${own}`;
  return host ? pathOf(host) + INSIDE + (id ? own : `:host>${own}`) : own;
}

function find(root, path) {
  try {
    return path.split(INSIDE).reduce((scope, selector) => (scope?.shadowRoot ?? scope)?.querySelector(selector), root);
  } catch {
    return null; // the key of a field, not a selector
  }
}

function differs(field) {
  if (TICKED.test(field.type)) return field.checked !== field.defaultChecked;
  if (field.options) {
    const options = [...field.options];
    const preset = field.multiple || options.some(({ defaultSelected }) => defaultSelected);
    return preset ? options.some(({ selected, defaultSelected }) => selected !== defaultSelected) : field.selectedIndex > 0;
  }
  // A slider and a colour have a value where none is given.
  return field.value !== field.defaultValue && (field.defaultValue !== '' || !/^(range|color)$/.test(field.type));
}

function valueOf(field) {
  if (TICKED.test(field.type)) return field.checked;
  if (field.options) return [...field.options].filter(({ selected }) => selected).map(({ value }) => value);
  return field.type ? field.value : written(field).slice(2);
}

/** Gives the field its value as if the user had; false when it cannot have it yet. */
function fill(field, value) {
  if (TICKED.test(field.type)) {
    // A click is what every framework listens to here, and it tells of itself.
    if (field.checked !== value && !field.disabled) return field.click(), true;
    field.checked = value;
  } else if (field.options) {
    const options = [...field.options];
    if (value.some((wanted) => !options.some((option) => option.value === wanted))) return false;
    for (const option of options) option.selected = value.includes(option.value);
  } else if (field.type) {
    // React puts a setter of its own on the element and would think that it knows the value already.
    const { prototype } = field.localName === 'input' ? HTMLInputElement : HTMLTextAreaElement;
    const { set } = Object.getOwnPropertyDescriptor(prototype, 'value');
    set.call(field, value);
  } else field.replaceChildren(...value.map(read));
  for (const type of ['input', 'change']) field.dispatchEvent(new Event(type, { bubbles: true, composed: type === 'input' }));
  return true;
}

/** A tree as plain lists: no markup that a policy for trusted types would refuse. */
const written = (node) => (node.nodeType === 1 ? [node.localName, [...node.attributes].map(({ name, value }) => [name, value]), ...[...node.childNodes].map(written)] : (node.data ?? ''));

function read(item) {
  if (typeof item === 'string') return document.createTextNode(item);
  const [name, attributes, ...children] = item;
  if (INERT.test(name)) return '';
  const element = document.createElement(name);
  for (const [name, value] of attributes) if (!/^on/i.test(name)) element.setAttribute(name, value);
  element.append(...children.map(read));
  return element;
}

function selectionIn(element) {
  if (!element.isContentEditable) return [element.selectionStart, element.selectionEnd, element.selectionDirection].map((it) => it ?? null);
  const { anchorNode, anchorOffset, focusNode, focusOffset } = getSelection();
  const wayTo = (node, way) => {
    for (; node && node !== element; node = node.parentNode) way.unshift([...node.parentNode.childNodes].indexOf(node));
    return node && way;
  };
  return [wayTo(anchorNode, [anchorOffset]), wayTo(focusNode, [focusOffset])];
}

function focus(element, [from, to, direction]) {
  element.focus({ preventScroll: true });
  try {
    if (!element.isContentEditable) return from !== null && element.setSelectionRange(from, to, direction ?? undefined);
    const at = (way) => [way.slice(0, -1).reduce((node, nth) => node.childNodes[nth], element), way.at(-1)];
    getSelection().setBaseAndExtent(...at(from), ...at(to));
  } catch {
    // The content is another one than it was; the focus is enough.
  }
}
