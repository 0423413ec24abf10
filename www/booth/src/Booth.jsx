import { useRef, useState } from 'react';
import { stateOf, useReports, useScreens } from './screens.js';
import { ask, useSite } from './site.js';

const FILLS = ['#f4a93c', '#ff8062', '#58cfc3', '#aaa2ff', '#a9cf5b', '#f58fc0', '#86b8ff'];
const fillOf = (build) => (build ? FILLS[(build.number - 1) % FILLS.length] : 'var(--line)');
const clock = (time) => new Date(time).toLocaleTimeString('en-GB');

export function Booth() {
  const { site, lost } = useSite();
  const screens = useScreens(site?.port);
  const { reports, log, frameOf } = useReports();
  const [busy, setBusy] = useState(null);
  const [trouble, setTrouble] = useState(null);

  const builds = site?.builds ?? [];
  const live = builds.find(({ id }) => id === site.release?.build);
  const next = live && builds.find(({ number }) => number === live.number + 1);
  const before = live && builds.findLast(({ number, published }) => published && number < live.number);
  const buildOf = (id) => builds.find((build) => build.id === id);

  const act = async (name, action, body) => {
    setBusy(name);
    setTrouble(null);
    try {
      await ask(action, body);
    } catch (error) {
      setTrouble(error.message);
    } finally {
      setBusy(null);
    }
  };

  return (
    <>
      <header className="top">
        <h1>The booth</h1>
        <p>
          A projectionist changes from one reel to the next while the audience watches, and nobody notices. Publish a build and watch the screens below do the same.
          {site && <> <a href={site.app} target="_blank" rel="noreferrer">Open a tab of your own</a></>}
        </p>
      </header>

      <main>
        <section className="desk" aria-label="Release">
          <Leader build={live} sequence={site?.release?.sequence} />
          <div className="now">
            <p className="label">On screen</p>
            <h2>{live?.title ?? 'Nothing yet'}</h2>
            <p>{live?.message}</p>
            <div className="buttons">
              <button type="button" className="primary" id="publish" style={{ '--fill': fillOf(next) }} disabled={!next || busy !== null} onClick={() => act('publish', 'publish', { number: next.number })}>
                {next ? `Publish build ${next.number}` : 'All builds are out'}
              </button>
              <button type="button" id="rollback" disabled={!before || busy !== null} onClick={() => act('rollback', 'rollback', { number: before.number })}>
                {before ? `Roll back to build ${before.number}` : 'Roll back'}
              </button>
            </div>
            <p className="trouble" role="alert">{trouble ?? (lost ? 'The server of the booth does not answer. Is the demo still running?' : null)}</p>
          </div>
          <ol className="reels" aria-label="Builds">
            {builds.map((build) => (
              <Reel
                key={build.id} build={build} isLive={build === live} disabled={busy !== null || build === live}
                screens={Object.values(reports).filter(({ status }) => status.build === build.id).length}
                onPublish={() => act(build.id, 'publish', { number: build.number })}
              />
            ))}
          </ol>
        </section>

        <section className="screens" aria-label="Screens">
          {screens.map(({ name, url }) => (
            <Screen key={name} name={name} url={url} report={reports[name]} build={buildOf(reports[name]?.status.build)} frame={frameOf(name)} />
          ))}
        </section>

        <section className="sheet" aria-labelledby="sheet">
          <h2 id="sheet">Cue sheet</h2>
          <ol>
            {log.map(({ key, at, screen, text, build }) => (
              <li key={key}>
                <time>{clock(at)}</time>
                <span className="who"><Dot build={buildOf(build)} />{screen}</span>
                <span>{text}</span>
              </li>
            ))}
          </ol>
          {log.length === 0 && <p>Nothing has happened yet.</p>}
        </section>
      </main>
    </>
  );
}

/** The countdown leader: the number of the live build, swept in when it changes. */
function Leader({ build, sequence }) {
  const shown = useRef({ sequence, fill: fillOf(build), from: fillOf(build) });
  if (shown.current.sequence !== sequence) shown.current = { sequence, fill: fillOf(build), from: shown.current.fill };
  return (
    <figure className="leader" style={{ '--fill': fillOf(build), '--from': shown.current.from }} aria-label={build ? `Build ${build.number} is live` : 'No build is live'}>
      <div key={sequence} className="sweep" />
      <svg viewBox="0 0 200 150" aria-hidden="true">
        <path d="M-900 75H1100M100 -900V1050" />
        <circle cx="100" cy="75" r="66" />
        <circle cx="100" cy="75" r="56" />
      </svg>
      <b>{build?.number ?? '–'}</b>
    </figure>
  );
}

function Reel({ build, isLive, screens, disabled, onPublish }) {
  const { number, id, title, message, published } = build;
  return (
    <li className="reel" data-live={isLive || undefined} data-build={id}>
      <span className="spool" style={{ '--fill': fillOf(build) }}>{number}</span>
      <div>
        <h3>{title} <code>{id}</code></h3>
        <p>{message}</p>
        <p className="when">
          {published ? `Published at ${clock(published.time)}` : 'On the shelf'}
          {screens > 0 && `, on ${screens} ${screens === 1 ? 'screen' : 'screens'}`}
        </p>
      </div>
      <button type="button" disabled={disabled} onClick={onPublish} aria-label={`${isLive ? 'Live' : 'Publish'}: build ${number}, ${title}`}>{isLive ? 'Live' : 'Publish'}</button>
    </li>
  );
}

function Screen({ name, url, report, build, frame }) {
  const due = Boolean(report?.status.skew);
  return (
    <article className="screen" data-due={due || undefined} style={{ '--fill': fillOf(build) }}>
      <header>
        <h3>{name}</h3>
        <code data-report="build">{report?.status.build ?? '…'}</code>
        <p data-report="state">{stateOf(report)}</p>
        <p data-report="last" data-kind={report?.last?.kind} title={report?.last?.text}>{report?.last?.text}</p>
        <span className="cue" aria-hidden="true" />
      </header>
      <div className="gate">
        <iframe ref={frame} name={location.origin} src={url} title={`${name}: a tab of Aster`} />
        {report?.movedAt && <span key={report.movedAt} className="shutter" aria-hidden="true" />}
      </div>
      <p className="where">{report?.where ?? new URL(url).pathname}</p>
    </article>
  );
}

function Dot({ build }) {
  return <i className="dot" style={{ '--fill': fillOf(build) }} aria-hidden="true" />;
}
