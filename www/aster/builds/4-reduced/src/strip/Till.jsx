import { useSlotState } from 'changeover/react';
import { useCarried } from '../guard.js';

export const schema = 2;

/** Tickets are full or reduced; those sold before were all full. */
export const migrations = [
  {
    from: 1,
    to: 2,
    up: ({ till: { tickets, ...till }, ...rest }) => ({ ...rest, till: { ...till, full: tickets, reduced: 0 } }),
    down: ({ till: { full, reduced, ...till }, ...rest }) => ({ ...rest, till: { ...till, tickets: full + reduced } }),
  },
];

/** Tickets sold at the door, counted by hand. */
export default function Till() {
  const [till, setTill] = useSlotState('till', { full: 0, reduced: 0 });
  useCarried('till', { schema, migrations }, { till }, (state) => setTill(state.till));
  const sell = (kind) => setTill((before) => ({ ...before, [kind]: before[kind] + 1 }));
  return (
    <p className="till">
      <button type="button" aria-label="Sell a ticket" onClick={() => sell('full')}>+</button>
      <span>Full <b>{till.full}</b></span>
      <button type="button" aria-label="Sell a reduced ticket" onClick={() => sell('reduced')}>+</button>
      <span>Reduced <b>{till.reduced}</b></span>
    </p>
  );
}
