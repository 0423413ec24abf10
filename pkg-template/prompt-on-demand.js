// The prompt, whose file comes when the user may have to be asked.
//
// In order: prepare() fetches the file as soon as another build is in sight -> show(view) shows the prompt, or a plain bar where
// the file cannot be had (a deploy has removed it, no network, a blocked address) -> hide() ends either. A bar that is there stays
// when the file comes late: what the user is about to press does not move.
import { loadPart } from './load-module.js';
import { openPlainPrompt } from './plain-prompt.js';
import { within } from './within.js';
/** @import { Prompt } from './index.js' */
/** @import { PromptOptions } from './prompt.js' */

/** The bar asks when the file has not come by then: a release may be urgent, and the user has not asked for anything yet. */
const PATIENCE = 4_000;

/**
 * @param {Parameters<typeof loadPart>[1]} page
 * @param {PromptOptions} options
 * @param {(code: string, message: string) => void} problem
 */
export function createPromptOnDemand(page, options, problem) {
  /** @type {Prompt | null} */
  let view = null;
  /** @type {ReturnType<typeof import('./prompt.js').createPrompt> | null} */
  let full = null;
  /** @type {ReturnType<typeof openPlainPrompt> | null} */
  let plain = null;

  const load = async () => {
    const { createPrompt } = await loadPart('prompt', page, () => import('./prompt.js'));
    full ??= createPrompt(options);
  };
  const showFull = () => {
    if (view && !plain) full?.show(view);
  };
  /** @param {any} error */
  const showPlain = (error) => {
    if (!view || plain) return;
    problem('prompt_unavailable', `a plain bar asks in place of the prompt: ${error?.message ?? error}`);
    plain = openPlainPrompt(options);
    plain.update(view);
  };
  return {
    prepare() {
      load().catch(() => {}); // show() tries again
    },
    /** @param {Prompt} next */
    show(next) {
      view = next;
      if (plain) plain.update(next);
      else if (full) full.show(next);
      else within(load(), PATIENCE).then(showFull).catch(showPlain);
    },
    hide() {
      view = null;
      full?.hide();
      plain?.close();
      plain = null;
    },
  };
}
