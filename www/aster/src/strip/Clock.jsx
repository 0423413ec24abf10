import { useEffect, useMemo } from 'react';
import { useSlotState } from 'changeover/react';
import { Stub } from '../edition/stub.jsx';
import { makeProgramme } from '../films.js';
import { Link } from '../router.jsx';

/** How long this tab has been open, and what runs tonight. A swap does not set it back; a page load does. */
export default function Clock() {
  const [seconds, setSeconds] = useSlotState('seconds', 0);
  const tonight = useMemo(() => makeProgramme()[0].screenings.at(-1), []);
  useEffect(() => {
    const timer = setInterval(() => setSeconds((before) => before + 1), 1000);
    return () => clearInterval(timer);
  }, [setSeconds]);
  return (
    <p className="clock">
      <span>Open for <time>{[seconds / 3600, (seconds / 60) % 60, seconds % 60].map((part) => String(Math.floor(part)).padStart(2, '0')).join(':')}</time></span>
      <span>Tonight <Link href={`/note?film=${tonight.id}`}>{tonight.title}</Link> {tonight.time}</span>
      <Stub screening={tonight} />
    </p>
  );
}
