import { useSlotState } from 'changeover/react';
import { label } from '../label.js';

export default function Badge() {
  const [stars, setStars] = useSlotState('stars', 0);
  return <button id="stars" onClick={() => setStars((before) => before + 1)}>{label('badge one')} {stars}</button>;
}
