// The release of a build: the pointer beside its manifest that makes a plain copy of the output folder a deploy.
//
// In order: before the bundler empties the folder, the release of the build before is read (`readPrevious`); the number of
// this one is above it (`numberOf`) and goes into the documents; when the manifest is written, the release follows it
// (`writeRelease`).
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { OWN_FOLDER, failure } from './vite-common.js';
import { integrityOf, replaceFile } from './vite-files.js';

/**
 * @import { Logger } from 'vite'
 * @import { Described, NumberOf, PreviousRelease, Release, Settings } from './types/plugin.js'
 */

export const URGENCIES = ['routine', 'soon', 'now'];

/** Longest message in characters that pages take. */
export const MESSAGE_LIMIT = 500;

const fileIn = (/** @type {string} */ folder) => join(folder, OWN_FOLDER, 'release.json');

/**
 * The release that lies in the folder to build into, or null. Must be read before the folder is emptied.
 *
 * @param {string} folder
 * @returns {PreviousRelease | null}
 * @throws {Error} `folderIsSite` for the folder of a published site, which has more builds than this one
 */
export function readPrevious(folder) {
  if (existsSync(join(folder, OWN_FOLDER, 'files'))) {
    throw failure('folderIsSite', `"${folder}" is a published site, it has ${OWN_FOLDER}/files with the builds before; build into another folder and publish that one.`);
  }
  try {
    const release = JSON.parse(readFileSync(fileIn(folder), 'utf8'));
    return Number.isSafeInteger(release.sequence) && release.sequence >= 0 ? release : null;
  } catch {
    return null; // missing or not a release: pages never accepted it either
  }
}

/**
 * The number that the documents of a build get. Those of the same build stay as they are: what is newer then is the
 * release alone.
 *
 * @param {Settings} settings
 * @param {PreviousRelease | null} previous the release of the build before
 * @returns {NumberOf}
 */
export const numberOf = ({ sequence }, previous) => (id, date) => {
  const next = sequence ?? sequenceAt(date, previous);
  return previous?.build?.id === id ? Math.min(previous.sequence, next) : next;
};

/**
 * Writes the release of a build whose manifest is in its place, and gives its sequence.
 *
 * @param {Described & { folder: string, settings: Settings, previous: PreviousRelease | null, logger: Logger }} given
 *   `previous`: the release of the build before, `text`: the manifest as it was written, `date`: when the build was made
 */
export function writeRelease({ folder, settings, previous, manifest, text, date, logger }) {
  const { sequence: number, channel = 'stable', urgency = 'routine', message } = settings;
  /** @type {Release} */
  const wanted = {
    format: 1,
    app: manifest.app,
    channel,
    sequence: number ?? sequenceAt(date, previous),
    issued: manifest.created,
    build: { id: manifest.id, manifest: `builds/${manifest.id}.json`, integrity: integrityOf(Buffer.from(text)) },
    urgency,
    message,
  };
  // The same build again, to the byte, is no new release.
  const same = number === undefined && previous && sayingOf(previous) === sayingOf(wanted);
  const release = same ? previous : wanted;
  if (previous && previous.build?.id !== manifest.id && release.sequence <= previous.sequence) {
    logger.warn(`changeover: the option "sequence" is ${number}, and the release of the build before has ${previous.sequence}; pages that have seen that one will not take this build.`);
  }
  replaceFile(fileIn(folder), `${JSON.stringify(release, null, 2)}\n`);
  return release.sequence;
}

/**
 * The time in seconds, which grows from build to build wherever they are made; above the build before when two are made
 * within a second or the clock was set back.
 *
 * @param {Date} date
 * @param {PreviousRelease | null} previous
 */
function sequenceAt(date, previous) {
  const seconds = Math.floor(date.getTime() / 1000);
  const above = (previous?.sequence ?? -1) + 1;
  return Number.isSafeInteger(above) ? Math.max(seconds, above) : seconds;
}

const sayingOf = (/** @type {PreviousRelease | Release} */ release) => JSON.stringify({ ...release, sequence: 0, issued: '' });
