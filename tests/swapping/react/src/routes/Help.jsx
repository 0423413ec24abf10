import { dash } from '../widgets.js';

export default function Help() {
  return <p id="help-says">{dash('help one')}</p>;
}
