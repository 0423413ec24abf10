// Fields of the programme note that came after the first edition.
export const blankFields = {};

export function MoreFields() {
  return null;
}

export function HandbillFoot() {
  return <span>Doors 30 minutes before</span>;
}
