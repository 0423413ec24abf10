// Whether the user is busy with the page right now: a pointer is down, a key was pressed a moment ago, an input method is
// composing, a dialog is open, something plays.

/** A pause after which a sentence may well be over. */
const PAUSE = 700;
/** How often the page is looked at; what happens in between is heard. */
const ROUND = 100;
/** Dialogs of the platform, and those that libraries make (WAI-ARIA 1.2, `aria-modal`). */
const DIALOGS = 'dialog[open], [role="dialog"][aria-modal="true"], [role="alertdialog"][aria-modal="true"]';

/**
 * Listens until `dispose`; `mark` is a moment after which any use of the page counts.
 *
 * @param {EventTarget} target
 */
export function createQuiet(target = window) {
  let pointers = 0;
  /** @type {Node | null} */
  let composing = null;
  let last = -Infinity;
  let used = 0;
  const now = () => performance.now();
  /** @param {Event} event */
  const hear = (event) => {
    const { type } = event;
    // Chromium calls the end of some compositions untrusted, and a field that loses the focus or goes may never tell of it.
    if (type === 'compositionend' || type === 'blur') composing = null;
    if (!event.isTrusted || type === 'blur') return;
    if (type === 'pointermove') {
      if (!(/** @type {PointerEvent} */ (event).buttons)) pointers = 0; // it went up where the page does not hear it
      return;
    }
    if (type === 'pointerdown') pointers += 1;
    else if (type === 'pointerup' || type === 'pointercancel') pointers = Math.max(0, pointers - 1);
    else if (type === 'compositionstart') composing = /** @type {Node} */ (event.composedPath()[0]);
    if (type !== 'pointerup' && type !== 'pointercancel') used += 1;
    last = now();
  };
  const kinds = ['pointerdown', 'pointermove', 'pointerup', 'pointercancel', 'keydown', 'input', 'compositionstart', 'compositionend', 'blur', 'paste', 'drop'];
  for (const kind of kinds) target.addEventListener(kind, hear, { capture: true, passive: true });

  const busy = () => {
    if (document.hidden) return false;
    if (pointers > 0 || composing?.isConnected || now() - last < PAUSE) return true;
    if ([...document.querySelectorAll(DIALOGS)].some((dialog) => dialog.checkVisibility?.() ?? true)) return true;
    return [.../** @type {NodeListOf<HTMLMediaElement>} */ (document.querySelectorAll('video, audio'))].some((media) => !media.paused && !media.ended && !media.muted);
  };

  return {
    /**
     * Resolves when the user does not use the page and `able()` says yes; rejects when the signal does.
     *
     * @param {() => boolean | Promise<boolean>} able
     * @param {AbortSignal} signal
     */
    async come(able, signal) {
      for (;;) {
        if (!busy() && (await able()) && !busy()) return;
        await new Promise((go) => setTimeout(go, ROUND));
        if (signal.aborted) throw new Error('the swap was given up');
      }
    },
    mark: () => used,
    /** @param {number | undefined} mark */
    isDisturbed: (mark) => mark !== undefined && used !== mark,
    dispose() {
      for (const kind of kinds) target.removeEventListener(kind, hear, { capture: true });
    },
  };
}
