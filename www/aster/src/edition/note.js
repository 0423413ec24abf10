// The shape of a programme note, as a draft and as it is filed.
const SCHEMA = 1;

export const noteSchema = { schema: SCHEMA };
/** Drafts of all films, by film. */
export const draftsSchema = { schema: SCHEMA };

export const blankNote = { line: '', text: '', audience: 'everyone', interval: false };
export const textOf = (note) => note.text;
export const withText = (note, text) => ({ ...note, text });
