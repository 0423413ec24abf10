import { activity, goOn, job, setPace, start, stop } from '../ingest.js';
import { useGuardStatus, useStore } from '../guard.js';
import { useTitle } from '../router.jsx';
import './Ingest.css';

const PACES = [[4, 'Old drive, 4 parts a second'], [16, 'New drive, 16 parts a second'], [Infinity, 'As fast as this machine can']];

/** Checks a film package part by part, as the desk does before a print may be shown. */
export default function Ingest() {
  useTitle('Ingest');
  const [{ name, parts, sums }] = useStore(job);
  const [{ running, pace, trouble }] = useStore(activity);
  const { skew } = useGuardStatus();
  const done = sums.length;
  const complete = name !== null && done === parts;
  const words = complete
    ? `All ${parts} parts are sound.`
    : running
      ? skew ? 'A new build is there and waits for this job.' : 'This job holds: no changeover until it ends.'
      : `Stopped at part ${done} of ${parts}.`;

  return (
    <section className="ingest">
      <h1>Ingest</h1>
      <p className="lead">Before a package may run, every part of it is read and summed. That takes as long as it takes, and a new build of this desk has no business interrupting it.</p>
      <div className="controls">
        <button type="button" className="primary" disabled={running} onClick={() => start(null)}>Check the sample reel</button>
        <label className="button" aria-disabled={running}>
          Choose a package
          <input type="file" disabled={running} onChange={(event) => event.target.files[0] && start(event.target.files[0])} />
        </label>
        <label className="field">
          <span>Drive</span>
          <select value={pace} onChange={(event) => setPace(Number(event.target.value))}>
            {PACES.map(([value, label]) => <option key={label} value={value}>{label}</option>)}
          </select>
        </label>
      </div>
      {name && (
        <div className="job">
          <h2>{name}</h2>
          <p className="tally"><b>{Math.round((done / parts) * 100)}</b><span>%</span></p>
          <progress max={parts} value={done} aria-label={`Ingest of ${name}`} />
          <ol className="frames" aria-hidden="true">
            {Array.from({ length: parts }, (_, part) => <li key={part} data-done={part < done || undefined} data-now={(running && part === done) || undefined} />)}
          </ol>
          <p className="state" role="status">{words}</p>
          <p className="actions">
            {running && <button type="button" onClick={stop}>Stop</button>}
            {!running && !complete && <button type="button" onClick={goOn}>Go on from part {done + 1}</button>}
          </p>
          {done > 0 && <p className="sum">Last sum <code>{sums.at(-1)}</code></p>}
        </div>
      )}
      {trouble && <p role="alert">{trouble}</p>}
    </section>
  );
}
