// What the pages of the desk work on. It belongs to the shell: pages are swapped, and each finds here what the one before it left.
import { draftsSchema, noteSchema } from './edition/note.js';
import { makeSharedStore, makeTabState } from './guard.js';

/** The screenings that the visitor has marked. */
export const markedKeys = makeTabState('marked', []);
/** One draft for each film. */
export const draftsByFilm = makeTabState('drafts', {}, draftsSchema);
/** Notes that are filed belong to every tab, on this build or another. */
export const filedNotes = makeSharedStore('notes', { ...noteSchema, dwell: 60_000, census: 5_000 });
