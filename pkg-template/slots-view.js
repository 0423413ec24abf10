// What the user's hands are on while one generation of a slot takes the place of another: focus, selection, scroll
// positions, and radio buttons, which two generations in one document would take from each other.

/**
 * Calls `change`, which hides `from` and shows `to`, and gives `to` the focus, the selection, the scroll positions and what was
 * typed and chosen in `from`, where it has the same element. What `to` has brought along itself counts, unless it is older.
 * `taken`: what `takeUp` has found in `from`, for one whose content may be gone by now.
 */
export function handOver(from, to, change, { toOlder, taken = takeUp(from) } = {}) {
  change();
  taken(to, toOlder);
}

/** Whether there is nothing to be seen in a place of the document. */
export const isBlank = (place) => place?.isConnected && !place.childElementCount && !place.textContent.trim();

/** Takes up what the user's hands are on in `from`; the result puts it down in another place. */
export function takeUp(from) {
  const active = from.getRootNode().activeElement;
  const focused = from.contains(active) && [keyOf(active, from), selectionOf(active)];
  const inside = scrolledIn(from.querySelectorAll('*')).map(([element, ...at]) => [keyOf(element, from), ...at]);
  // Hiding may shorten the page, and what is scrolled around the slot with it.
  const around = [];
  for (let element = from; (element = element.parentElement); ) around.push(element);
  const before = scrolledIn(around);
  const typed = [...from.querySelectorAll(FIELDS)].filter(differs).map((field) => [keyOf(field, from), field]);
  return (to, toOlder) => {
    for (const [key, field] of typed) carry(field, find(to, key), toOlder);
    for (const [element, ...at] of [...before, ...inside.map(([key, ...at]) => [find(to, key), ...at])]) {
      element?.scrollTo({ left: at[0], top: at[1], behavior: 'instant' });
    }
    const target = focused && find(to, focused[0]);
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

/** Whether a field holds something else than it began with. */
function differs(field) {
  if (field.localName === 'select') return [...field.options].some((option) => option.selected !== option.defaultSelected);
  if (PRESSED.test(field.type)) return false;
  if (field.type === 'file') return field.files.length > 0;
  return field.type === 'checkbox' ? field.checked !== field.defaultChecked : field.value !== field.defaultValue;
}

/** Gives `to` what `from` holds, as if it were typed there; frameworks hear of it. */
function carry(from, to, always) {
  if (to?.localName !== from.localName || to.type !== from.type || (differs(to) && !always)) return;
  const set = (name, value) => {
    if (to[name] === value) return false;
    // React puts a property of its own over that of the element, to know what it has set itself.
    Object.getOwnPropertyDescriptor(Object.getPrototypeOf(to), name).set.call(to, value);
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

/** The radio buttons that are chosen in `place`. */
export const ticked = (place) => [...place.querySelectorAll('input[type=radio]:checked')];

const scrolledIn = (elements) => [...elements].filter(({ scrollTop, scrollLeft }) => scrollTop || scrollLeft).map((element) => [element, element.scrollLeft, element.scrollTop]);

const selectionOf = ({ selectionStart, selectionEnd, selectionDirection }) => selectionStart != null && [selectionStart, selectionEnd, selectionDirection ?? 'none'];

/** How the same element is known in another generation: by id, else by name, else by place. */
function keyOf(element, root) {
  const { id, localName, name } = element;
  let selector = id ? `#${CSS.escape(id)}` : name && `${localName}[name=${CSS.escape(name)}]`;
  if (!selector) {
    selector = '';
    for (let at = element; at !== root; at = at.parentElement) {
      const nth = [...at.parentElement.children].filter(({ localName }) => localName === at.localName).indexOf(at) + 1;
      selector = `>${at.localName}:nth-of-type(${nth})${selector}`;
    }
    selector = `:scope${selector}`;
  }
  return [selector, [...root.querySelectorAll(selector)].indexOf(element)];
}

const find = (root, [selector, nth]) => root.querySelectorAll(selector)[nth];
