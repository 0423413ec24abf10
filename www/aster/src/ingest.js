// The ingest job: reads a package part by part and sums each part with SHA-256. It goes on while the visitor looks at
// other pages, holds off a changeover while it runs, and knows where it was when the page comes back.
import { guard, makeStore, makeTabState } from './guard.js';

const PART = 512 * 1024;
const SAMPLE = { name: 'the sample reel', parts: 96 };
const LONGEST_HOLD = 10 * 60_000;

export const job = makeTabState('ingest', { name: null, parts: 0, sums: [] });
export const activity = makeStore({ running: false, pace: 4, trouble: null });

let source = null;
const note = (changes) => activity.write((now) => ({ ...now, ...changes }));

/** Starts with a file, or for null with the sample reel. */
export function start(file) {
  source = open(file);
  job.write({ name: source.name, parts: source.parts, sums: [] });
  run();
}

/** Goes on where the job stopped, in this page or in the one before it. */
export function goOn() {
  // The sample can be made again; a file of the visitor's has to be chosen again.
  if (!source && job.read().name === SAMPLE.name) source = open(null);
  if (source) run();
  else note({ trouble: `Choose ${job.read().name} again to go on.` });
}

export const stop = () => note({ running: false });
export const setPace = (pace) => note({ pace });

async function run() {
  note({ running: true, trouble: null });
  const release = guard.hold(`The ingest of ${job.read().name} is running`, { deadline: LONGEST_HOLD });
  try {
    while (activity.read().running && job.read().sums.length < job.read().parts) {
      const [sum] = await Promise.all([sumOf(await source.read(job.read().sums.length)), pause(1000 / activity.read().pace)]);
      job.write((now) => ({ ...now, sums: [...now.sums, sum] }));
    }
  } catch (error) {
    note({ trouble: `The package cannot be read any more: ${error.message}` });
  } finally {
    release();
    note({ running: false });
  }
}

function open(file) {
  if (!file) return { ...SAMPLE, read: makePart };
  return {
    name: file.name,
    parts: Math.max(1, Math.ceil(file.size / PART)),
    read: (part) => file.slice(part * PART, (part + 1) * PART).arrayBuffer(),
  };
}

/** A part of the sample, made from its number and so the same in every tab. */
function makePart(part) {
  const words = new Uint32Array(PART / 4);
  let x = 0x9e3779b9 ^ (part + 1);
  for (let index = 0; index < words.length; index++) {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    words[index] = x;
  }
  return words.buffer;
}

/** The first 16 hex digits of the SHA-256, or of a Fletcher sum where plain http hides SubtleCrypto. */
async function sumOf(bytes) {
  if (!crypto.subtle) return fletcher(new Uint8Array(bytes));
  const sum = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return [...sum.slice(0, 8)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

function fletcher(bytes) {
  let [low, high] = [0, 0];
  for (const byte of bytes) {
    low = (low + byte) % 0xffff;
    high = (high + low) % 0xffff;
  }
  return (high * 0x10000 + low).toString(16).padStart(16, '0');
}

const pause = (ms) => new Promise((done) => setTimeout(done, ms));
