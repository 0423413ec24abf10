import { useMemo } from 'react';
import { makeProgramme } from '../films.js';
import { useTitle } from '../router.jsx';
import './Tab.css';

/** Screenings with captions, described music or the lights half up. */
export default function Access() {
  useTitle('Access');
  const picks = useMemo(() => makeProgramme().flatMap(({ date, screenings }) => screenings.filter(({ music }) => music).map((film) => ({ ...film, date }))).slice(0, 12), []);
  return (
    <section className="tab">
      <h1>Come as you are</h1>
      <p className="lead">A silent film is captioned by nature. At these screenings the music is described as well, the lights stay half up, and nobody minds if you walk about.</p>
      <dl>
        {picks.map(({ key, title, date, time }) => (
          <div key={key}>
            <dt>{date.toLocaleDateString('en-GB', { timeZone: 'UTC', weekday: 'short', day: 'numeric', month: 'short' })}, {time}</dt>
            <dd>{title}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
