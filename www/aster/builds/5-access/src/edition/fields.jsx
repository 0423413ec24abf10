// Fields of the programme note that came after the first edition.
export const blankFields = { described: false, relaxed: false };

export function MoreFields({ draft, set }) {
  return (
    <fieldset>
      <legend>Access</legend>
      <label className="choice">
        <input type="checkbox" name="described" checked={draft.described} onChange={(event) => set('described', event.target.checked)} /> music described
      </label>
      <label className="choice">
        <input type="checkbox" name="relaxed" checked={draft.relaxed} onChange={(event) => set('relaxed', event.target.checked)} /> relaxed screening
      </label>
    </fieldset>
  );
}

export function HandbillFoot({ draft }) {
  const words = [draft.described && 'music described', draft.relaxed && 'relaxed'].filter(Boolean);
  return <span>{words.length ? words.join(', ') : 'Doors 30 minutes before'}</span>;
}
