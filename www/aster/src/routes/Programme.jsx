import { useMemo } from 'react';
import { markedKeys } from '../desk.js';
import { columns } from '../edition/columns.jsx';
import { season } from '../edition/season.js';
import { makeProgramme } from '../films.js';
import { useStore } from '../guard.js';
import { Link, go, useAddress, useTitle } from '../router.jsx';
import './Programme.css';

const PRINTS = ['35mm', '16mm', 'DCP'];

export default function Programme() {
  useTitle('Programme');
  const programme = useMemo(() => makeProgramme(), []);
  const address = useAddress();
  const [marked, setMarked] = useStore(markedKeys);
  const print = address.searchParams.get('print');
  const words = address.searchParams.get('words') ?? '';
  const open = address.hash.slice(1);
  const days = useMemo(() => pick(programme, print, words), [programme, print, words]);
  const count = days.reduce((total, { screenings }) => total + screenings.length, 0);

  const ask = (changes) => {
    const next = new URL(address);
    for (const [name, value] of Object.entries(changes)) {
      if (value) next.searchParams.set(name, value);
      else next.searchParams.delete(name);
    }
    return next.pathname + next.search;
  };
  const mark = (key) => setMarked((keys) => (keys.includes(key) ? keys.filter((other) => other !== key) : [...keys, key]));

  return (
    <section className="programme">
      <header className="opening">
        <h1>{season.title}</h1>
        <Tonight screening={programme[0].screenings.at(-1)} />
      </header>
      <form className="sift" role="search" onSubmit={(event) => event.preventDefault()}>
        <label className="field">
          <span>Find</span>
          <input type="search" value={words} placeholder="Title or director" onChange={(event) => go(ask({ words: event.target.value }), { replace: true })} />
        </label>
        <div className="chips" role="group" aria-label="Print">
          {[null, ...PRINTS].map((name) => (
            <Link key={name ?? 'all'} replace href={ask({ print: name })} aria-current={print === name ? 'true' : undefined}>{name ?? 'All prints'}</Link>
          ))}
        </div>
        <p className="count" role="status">{count} screenings{marked.length > 0 && `, ${marked.length} marked`}</p>
      </form>
      {days.map((day) => (
        <section key={day.key} className="day" aria-labelledby={`day-${day.key}`}>
          <h2 id={`day-${day.key}`}>
            <span>{format(day.date, { weekday: 'short' })}</span> <b>{format(day.date, { day: 'numeric' })}</b> <span>{format(day.date, { month: 'short' })}</span>
          </h2>
          <ol>
            {day.screenings.map((screening) => (
              <Screening key={screening.key} screening={screening} here={address} open={open === screening.key} marked={marked.includes(screening.key)} onMark={() => mark(screening.key)} />
            ))}
          </ol>
        </section>
      ))}
      {count === 0 && <p className="empty">Nothing in these four weeks fits. <Link href="/">Show everything</Link></p>}
    </section>
  );
}

function Tonight({ screening }) {
  const { id, title, time, format: print, music } = screening;
  return (
    <Link href={`/note?film=${id}`} className="tonight">
      <span>Tonight</span>
      <b>{title}</b>
      <time>{time}</time>
      <span>{music ? `${print}, live music` : print}</span>
    </Link>
  );
}

function Screening({ screening, here, open, marked, onMark }) {
  const { key, id, time, title, line } = screening;
  return (
    <li className="screening" id={key} data-open={open || undefined}>
      <time>{time}</time>
      <div className="what">
        <h3><Link replace href={here.pathname + here.search + (open ? '' : `#${key}`)} aria-expanded={open}>{title}</Link></h3>
        {open && (
          <p className="line">
            {line} <Link href={`/note?film=${id}`}>Write the programme note</Link>
          </p>
        )}
      </div>
      <dl>
        {columns.map((column) => (
          <div key={column.key} className={`column-${column.key}`}>
            <dt>{column.label}</dt>
            <dd>{column.show(screening)}</dd>
          </div>
        ))}
      </dl>
      <button type="button" className="mark" aria-pressed={marked} onClick={onMark} aria-label={`Mark ${title} at ${time}`}>
        <span aria-hidden="true" />
      </button>
    </li>
  );
}

const format = (date, parts) => new Intl.DateTimeFormat('en-GB', { timeZone: 'UTC', ...parts }).format(date);

function pick(programme, print, words) {
  const needle = words.trim().toLowerCase();
  return programme
    .map((day) => ({
      ...day,
      screenings: day.screenings.filter((film) => (!print || film.format === print) && `${film.title} ${film.director}`.toLowerCase().includes(needle)),
    }))
    .filter((day) => day.screenings.length > 0);
}
