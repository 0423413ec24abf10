// The pieces of tab state that the app has registered: captured before a reload, restored after it.
import { textOf } from './failures.js';

/** How long a provider may take. Longer, and the user wonders whether the button did anything. */
const PATIENCE = 3_000;

/**
 * @param {{carried(): object, claim(name: string): void, tell(names: {restored: string[], failed: string[]}): void}} port
 *   what came through the reload, how to take it out of the envelope, and whom to tell of late arrivals
 */
export function createStates({ carried, claim, tell }) {
  const providers = new Map();
  const underWay = new Set();
  let gathered = null; // while an arrival is being reported: {restored, failed}

  const restore = (name, provider) => {
    const states = carried();
    if (!Object.keys(states).includes(name)) return;
    const finished = (list) => {
      if (gathered) gathered[list].push(name);
      else tell({ restored: [], failed: [], [list]: [name] });
    };
    const took = () => {
      claim(name);
      finished('restored');
    };
    const refused = (error) => {
      // The state stays in the envelope: nothing is lost because of a provider's mistake.
      console.error(`changeover: state "${name}" was not restored`, error);
      finished('failed');
    };
    try {
      const answer = provider.restore(copy(states[name]));
      if (typeof answer?.then !== 'function') return took();
      const work = within(answer).then(took, refused).finally(() => underWay.delete(work));
      underWay.add(work);
    } catch (error) {
      refused(error);
    }
  };

  return {
    register(name, provider) {
      const entry = { provider };
      providers.set(name, entry);
      restore(name, provider);
      return () => {
        if (providers.get(name) === entry) providers.delete(name);
      };
    },

    /** Captures everything; what could be captured is in `states` even when something else `failed`. */
    async capture() {
      const states = {};
      const failed = [];
      const one = async ([name, { provider }]) => {
        try {
          const value = await within(provider.capture());
          if (value !== undefined) states[name] = plain(value);
        } catch (error) {
          failed.push(`state "${name}" could not be captured: ${textOf(error)}`);
        }
      };
      await Promise.all([...providers].map(one));
      return { states, failed: failed.length ? failed.join('; ') : null };
    },

    /** Reports what the providers that are there from the start have restored. */
    async restored() {
      const names = (gathered = { restored: [], failed: [] });
      await new Promise((done) => setTimeout(done));
      await Promise.all(underWay);
      gathered = null;
      return names;
    },
  };
}

async function within(answer) {
  let timer;
  const late = new Promise((_, fail) => {
    timer = setTimeout(fail, PATIENCE, `no answer within ${PATIENCE / 1000} s`);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}

const copy = (value) => JSON.parse(JSON.stringify(value));

/** A copy that JSON can carry without loss; throws with the path of what it cannot. */
function plain(value) {
  const above = new Set();
  const refuse = (what, path) => {
    throw `${what} at ${path || 'the top'} does not survive JSON`;
  };
  const visit = (value, path) => {
    switch (typeof value) {
      case 'number':
        return Number.isFinite(value) ? value : refuse(String(value), path);
      case 'string':
      case 'boolean':
        return value;
      case 'object':
        return value === null ? null : visitObject(value, path);
      default:
        return refuse(typeof value, path);
    }
  };
  const visitObject = (value, path) => {
    if (above.has(value)) refuse('a reference back to what contains it', path);
    const kind = Object.prototype.toString.call(value).slice(8, -1);
    if (kind === 'Object' && typeof value.toJSON === 'function') return visit(value.toJSON(), path);
    if (kind !== 'Object' && kind !== 'Array') refuse(kind, path);
    above.add(value);
    let result;
    if (kind === 'Array') result = Array.from(value, (item, index) => visit(item, `${path}[${index}]`));
    else {
      const fields = Object.entries(value).filter(([, field]) => field !== undefined);
      result = Object.fromEntries(fields.map(([key, field]) => [key, visit(field, path ? `${path}.${key}` : key)]));
    }
    above.delete(value);
    return result;
  };
  return visit(value, '');
}
