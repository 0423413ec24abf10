import { useState } from 'react';
import { draftsByFilm, filedNotes } from '../desk.js';
import { HandbillFoot, MoreFields, blankFields } from '../edition/fields.jsx';
import { blankNote, textOf, withText } from '../edition/note.js';
import { filmOf, repertoire } from '../films.js';
import { useStore } from '../guard.js';
import { go, useAddress, useTitle } from '../router.jsx';
import './Note.css';

const BLANK = { ...blankNote, ...blankFields };
const ROOM = 700;

export default function Note() {
  useTitle('Note');
  const film = filmOf(useAddress().searchParams.get('film'));
  const [drafts, setDrafts] = useStore(draftsByFilm);
  const [filed] = useStore(filedNotes);
  const [said, setSaid] = useState('');
  const draft = { ...BLANK, ...drafts[film.id] };
  const text = textOf(draft);

  const write = (change) => {
    setSaid('');
    setDrafts((all) => ({ ...all, [film.id]: change({ ...BLANK, ...all[film.id] }) }));
  };
  const set = (name, value) => write((note) => ({ ...note, [name]: value }));
  const file = async (event) => {
    event.preventDefault();
    try {
      await filedNotes.set(film.id, { ...draft, at: Date.now() });
    } catch (error) {
      return setSaid(`Not filed: ${error.message}`); // the draft stays
    }
    setDrafts(({ [film.id]: _done, ...rest }) => rest);
    setSaid(`The note on ${film.title} is filed.`);
  };
  const newestFirst = Object.entries(filed).sort(([, one], [, other]) => other.at - one.at);

  return (
    <section className="note">
      <h1>Programme note</h1>
      <form onSubmit={file}>
        <label className="field">
          <span>Film</span>
          <select value={film.id} onChange={(event) => go(`/note?film=${event.target.value}`, { replace: true })}>
            {repertoire.map(({ id, title }) => <option key={id} value={id}>{title}</option>)}
          </select>
        </label>
        <label className="field">
          <span>Line under the title</span>
          <input name="line" value={draft.line} maxLength={80} placeholder={film.line} onChange={(event) => set('line', event.target.value)} />
        </label>
        <label className="field">
          <span>Note <i>{ROOM - text.length} characters left</i></span>
          <textarea name="text" rows={9} required maxLength={ROOM} value={text} onChange={(event) => write((note) => withText(note, event.target.value))} />
        </label>
        <fieldset>
          <legend>For</legend>
          {['everyone', 'members', 'schools'].map((name) => (
            <label key={name} className="choice">
              <input type="radio" name="audience" checked={draft.audience === name} onChange={() => set('audience', name)} /> {name}
            </label>
          ))}
        </fieldset>
        <label className="choice">
          <input type="checkbox" name="interval" checked={draft.interval} onChange={(event) => set('interval', event.target.checked)} /> With an interval
        </label>
        <MoreFields draft={draft} set={set} />
        <p className="actions">
          <button className="primary">File the note</button>
          <span role="status">{said}</span>
        </p>
      </form>
      <Handbill film={film} draft={draft} />
      {newestFirst.length > 0 && (
        <aside className="filed" aria-labelledby="filed">
          <h2 id="filed">Filed</h2>
          <ul>
            {newestFirst.map(([id, note]) => (
              <li key={id}><b>{filmOf(id).title}</b> {textOf(note)}</li>
            ))}
          </ul>
        </aside>
      )}
    </section>
  );
}

/** What the note will look like on the handbill at the door. */
function Handbill({ film, draft }) {
  return (
    <figure className="handbill" aria-label="Preview of the handbill">
      <p className="handbill-head"><span>{film.country}</span><span>{film.year}</span></p>
      <p className="handbill-title">{film.title}</p>
      <p className="handbill-line">{draft.line || film.line}</p>
      <p className="handbill-text">{textOf(draft) || 'The note goes here. Three sentences are plenty; the film will say the rest.'}</p>
      <p className="handbill-foot">
        <span>{film.director}</span>
        <span>{film.minutes} min{draft.interval && ' with interval'}</span>
        {draft.audience !== 'everyone' && <span>For {draft.audience}</span>}
        <HandbillFoot draft={draft} />
      </p>
    </figure>
  );
}
