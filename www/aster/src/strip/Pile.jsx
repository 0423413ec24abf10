import { markedKeys } from '../desk.js';
import { Stub } from '../edition/stub.jsx';
import { filmOf } from '../films.js';
import { useStore } from '../guard.js';

/** What the visitor has marked: how many, and the last of them. */
export default function Pile() {
  const [marked] = useStore(markedKeys);
  const last = marked.length ? filmOf(marked.at(-1).slice('00-00-'.length)) : null;
  return (
    <p className="pile">
      {last ? <><span>{marked.length} marked, last {last.title}</span> <Stub screening={last} /></> : 'Nothing marked yet'}
    </p>
  );
}
