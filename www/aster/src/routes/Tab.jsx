import { guard, useGuardStatus } from '../guard.js';
import { useTitle } from '../router.jsx';
import './Tab.css';

/** What changeover knows in this tab, in its own words. */
export default function Tab() {
  useTitle('This tab');
  const { level, levelReason, build, release, skew, decision, leader, stream, lastCheck, holds, failures } = useGuardStatus();
  const facts = [
    ['Build in this tab', <code>{build ?? 'unknown'}</code>],
    ['Release on the server', release ? <><code>{release.build}</code> as number {release.sequence}</> : 'not seen yet'],
    ['Skew', skew ? 'This tab runs another build than the server wants' : 'None'],
    ['Decision', `${decision.kind}, because ${decision.reason}`],
    ['Level', levelReason ? `${level}, because ${levelReason}` : level],
    ['News by', stream === 'open' ? 'event stream' : `polling (stream ${stream})`],
    ['Asks the server', leader ? 'this tab, for all tabs' : 'another tab, or none yet'],
    ['Last look', lastCheck ? new Date(lastCheck).toLocaleTimeString('en-GB') : 'not yet'],
    ['Failed looks in a row', failures],
    ['Holds', holds.length ? holds.map(({ reason }) => reason).join(', ') : 'None'],
  ];
  return (
    <section className="tab">
      <h1>This tab</h1>
      <p className="lead">Aster is a demo. The cinema is invented, the films are not, and the guard in the corner is the real thing.</p>
      <dl>
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <p className="actions">
        <button type="button" onClick={() => guard.check()}>Look now</button>
        <button type="button" className="primary" disabled={!skew} onClick={() => guard.reload()}>Change over</button>
      </p>
    </section>
  );
}
