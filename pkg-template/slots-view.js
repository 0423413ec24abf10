// What the user's hands are on while one generation of a slot takes the place of another: focus, selection, scroll
// positions, and radio buttons, which two generations in one document would take from each other.

/**
 * Calls `change`, which hides `from` and shows `to`, and gives `to` the focus, the selection and the scroll positions of `from`
 * where it has the same element.
 */
export function handOver(from, to, change) {
  const active = from.getRootNode().activeElement;
  const focused = from.contains(active) && [keyOf(active, from), selectionOf(active)];
  const inside = scrolledIn(from.querySelectorAll('*')).map(([element, ...at]) => [keyOf(element, from), ...at]);
  // Hiding may shorten the page, and what is scrolled around the slot with it.
  const around = [];
  for (let element = from; (element = element.parentElement); ) around.push(element);
  const before = scrolledIn(around);
  change();
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
