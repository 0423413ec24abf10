/** What is torn off a ticket: the print that runs. */
export function Stub({ screening }) {
  return <span className="stub">{screening.music ? `${screening.format}, live music` : screening.format}</span>;
}
