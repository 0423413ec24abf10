// The same package from CommonJS.
import changeover = require('changeover');

const guard: changeover.Changeover = changeover.createChangeover({ trace: true });
const text: string = guard.trace();
export = text;
