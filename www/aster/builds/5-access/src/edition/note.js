// The shape of a programme note, as a draft and as it is filed. Schema 2 keeps its paragraphs apart, so that each can be
// read out by itself.
const SCHEMA = 2;

const paragraphs = {
  from: 1,
  to: 2,
  id: 'paragraphs',
  up: ({ text, ...note }) => ({ ...note, paragraphs: text?.split('\n') ?? [] }),
  down: ({ paragraphs, ...note }) => ({ ...note, text: paragraphs.join('\n') }),
};
const ofEach = (change) => (notes) => Object.fromEntries(Object.entries(notes).map(([film, note]) => [film, change(note)]));

export const noteSchema = { schema: SCHEMA, migrations: [paragraphs] };
/** Drafts of all films, by film. */
export const draftsSchema = { schema: SCHEMA, migrations: [{ ...paragraphs, up: ofEach(paragraphs.up), down: ofEach(paragraphs.down) }] };

export const blankNote = { line: '', paragraphs: [''], audience: 'everyone', interval: false };
export const textOf = (note) => note.paragraphs.join('\n');
export const withText = (note, text) => ({ ...note, paragraphs: text.split('\n') });
