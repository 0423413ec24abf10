// What the user's hands are on while one generation of a slot takes the place of another: focus, selection, scroll
// positions, and radio buttons, which two generations in one document would take from each other.

/** @typedef {[selector: string, nth: number]} Key */
/** @typedef {HTMLInputElement & Pick<HTMLSelectElement, 'options' | 'selectedOptions'>} Field an input, textarea or select, each with its part of it */
/** @typedef {Parameters<HTMLInputElement['setSelectionRange']>} Range */

/**
 * Calls `change`, which hides `from` and shows `to`, and gives `to` the focus, the selection, the scroll positions and what was
 * typed and chosen in `from`, where it has the same element. What `to` has brought along itself counts, unless it is older.
 * `taken`: what `takeUp` has found in `from`, for one whose content may be gone by now.
 *
 * @param {HTMLElement} from
 * @param {HTMLElement} to
 * @param {() => void} change
 * @param {{ toOlder?: boolean, taken?: ReturnType<typeof takeUp> }} how
 */
export function handOver(from, to, change, { toOlder, taken = takeUp(from) } = {}) {
  change();
  taken(to, toOlder);
}

/**
 * Whether there is nothing to be seen in a place of the document.
 *
 * @param {HTMLElement | null | undefined} place
 */
export const isBlank = (place) => /** @type {boolean} */ (place?.isConnected && !place.childElementCount && !place.textContent.trim());

/**
 * Takes up what the user's hands are on in `from`; the result puts it down in another place.
 *
 * @param {HTMLElement} from
 * @returns {(to: HTMLElement, toOlder?: boolean) => void}
 */
export function takeUp(from) {
  const active = /** @type {HTMLInputElement} */ (/** @type {Document | ShadowRoot} */ (from.getRootNode()).activeElement);
  const focused = from.contains(active) && /** @type {const} */ ([keyOf(active, from), selectionOf(active)]);
  const inside = scrolledIn(from.querySelectorAll('*')).map(([element, ...at]) => /** @type {const} */ ([keyOf(element, from), ...at]));
  // Hiding may shorten the page, and what is scrolled around the slot with it.
  const around = [];
  for (let element = from; (element = /** @type {HTMLElement} */ (element.parentElement)); ) around.push(element);
  const before = scrolledIn(around);
  const typed = [.../** @type {NodeListOf<Field>} */ (from.querySelectorAll(FIELDS))].filter(differs).map((field) => /** @type {const} */ ([keyOf(field, from), field]));
  return (to, toOlder) => {
    for (const [key, field] of typed) carry(field, /** @type {Field | undefined} */ (find(to, key)), toOlder);
    for (const [element, ...at] of [...before, ...inside.map(([key, ...at]) => /** @type {const} */ ([find(to, key), ...at]))]) {
      element?.scrollTo({ left: at[0], top: at[1], behavior: 'instant' });
    }
    const target = focused && /** @type {HTMLInputElement | undefined} */ (find(to, focused[0]));
    if (!target) return;
    target.focus({ preventScroll: true });
    try {
      if (focused[1]) target.setSelectionRange(...focused[1]);
    } catch {
      // The field is of a type that has no selection any more; the focus is enough.
    }
  };
}

const FIELDS = 'input, textarea, select';
const PRESSED = /^(button|submit|reset|image|hidden|radio)$/;

/**
 * Whether a field holds something else than it began with.
 *
 * @param {Field} field
 */
function differs(field) {
  if (field.localName === 'select') return [...field.options].some((option) => option.selected !== option.defaultSelected);
  if (PRESSED.test(field.type)) return false;
  if (field.type === 'file') return /** @type {FileList} */ (field.files).length > 0;
  return field.type === 'checkbox' ? field.checked !== field.defaultChecked : field.value !== field.defaultValue;
}

/**
 * Gives `to` what `from` holds, as if it were typed there; frameworks hear of it.
 *
 * @type {(from: Field, to: Field | undefined, always?: boolean) => void}
 */
function carry(from, to, always) {
  if (to?.localName !== from.localName || to.type !== from.type || (differs(to) && !always)) return;
  /** @type {(name: 'files' | 'checked' | 'value', value: unknown) => boolean} */
  const set = (name, value) => {
    if (to[name] === value) return false;
    // React puts a property of its own over that of the element, to know what it has set itself; a customized built-in
    // element has another prototype.
    const { prototype } = to.localName === 'input' ? HTMLInputElement : HTMLTextAreaElement;
    /** @type {Required<PropertyDescriptor>} */ (Object.getOwnPropertyDescriptor(prototype, name)).set.call(to, value);
    return true;
  };
  let changed;
  if (from.localName === 'select') {
    const chosen = new Set([...from.selectedOptions].map(({ value }) => value));
    changed = false;
    for (const option of to.options) {
      if (option.selected === chosen.has(option.value)) continue;
      option.selected = !option.selected;
      changed = true;
    }
  } else if (from.type === 'file') changed = set('files', from.files);
  else if (from.type === 'checkbox') changed = set('checked', from.checked);
  else changed = set('value', from.value);
  if (!changed) return;
  for (const type of ['input', 'change']) to.dispatchEvent(new Event(type, { bubbles: true }));
}

/**
 * The radio buttons that are chosen in `place`.
 *
 * @param {HTMLElement} place
 */
export const ticked = (place) => [.../** @type {NodeListOf<HTMLInputElement>} */ (place.querySelectorAll('input[type=radio]:checked'))];

/** @type {(elements: Iterable<Element>) => [element: Element, left: number, top: number][]} */
const scrolledIn = (elements) => [...elements].filter(({ scrollTop, scrollLeft }) => scrollTop || scrollLeft).map((element) => [element, element.scrollLeft, element.scrollTop]);

/** @type {(field: HTMLInputElement) => false | Range} */
const selectionOf = ({ selectionStart, selectionEnd, selectionDirection }) => selectionStart != null && [selectionStart, selectionEnd, selectionDirection ?? 'none'];

/**
 * How the same element is known in another generation: by id, else by name, else by place.
 *
 * @type {(element: Element, root: HTMLElement) => Key}
 */
function keyOf(element, root) {
  const { id, localName, name } = /** @type {HTMLInputElement} */ (element);
  let selector = id ? `#${CSS.escape(id)}` : name && `${localName}[name=${CSS.escape(name)}]`;
  if (!selector) {
    selector = '';
    for (let at = element; at !== root; at = /** @type {Element} */ (at.parentElement)) {
      const nth = [.../** @type {Element} */ (at.parentElement).children].filter(({ localName }) => localName === at.localName).indexOf(at) + 1;
      selector = `>${at.localName}:nth-of-type(${nth})${selector}`;
    }
    selector = `:scope${selector}`;
  }
  return [selector, [...root.querySelectorAll(selector)].indexOf(element)];
}

/** @type {(root: HTMLElement, key: Key) => Element | undefined} */
const find = (root, [selector, nth]) => root.querySelectorAll(selector)[nth];
