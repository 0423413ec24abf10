// The examples of the README and of docs/hosts.md, by the name in their fence: ```js file=state

import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { ROOT } from '../e2e/browsers.mjs';

const readme = readFileSync(join(ROOT, 'README.md'), 'utf8');

const blocksOf = (/** @type {string} */ text) =>
  [...text.matchAll(/^```(\S*)(?: file=(\S+))?\n(.*?)^```$/gms)].map(([, language, name, text]) => ({ language, name: name ?? null, text }));

/** Every fenced block: `{language, name, text}`; `name` is null where the fence gives none. */
export const blocks = blocksOf(readme);

/** The same of docs/hosts.md. */
export const hostBlocks = blocksOf(readFileSync(join(ROOT, 'docs/hosts.md'), 'utf8'));

/**
 * The one example called `name`.
 *
 * @param {string} name
 */
export function example(name) {
  const found = [...blocks, ...hostBlocks].filter((block) => block.name === name);
  if (found.length !== 1) throw new Error(`README.md and docs/hosts.md have ${found.length} examples named ${name}`);
  return found[0].text;
}

/** Every `changeover` sub-command the README names. */
export const commands = [...new Set([...readme.matchAll(/\bchangeover (publish|rollback|serve|verify|[a-z]+) [A-Z-]/g)].map(([, name]) => name))];

/** The file of every relative link. */
export const links = [...readme.matchAll(/\]\((?!https?:|#)([^)]+)\)/g)].map(([, path]) => path.split('#')[0]);

/** The data-attributes of the script tag's table. */
export const attributes = [...readme.matchAll(/`(data-[a-z]+)`/g)].map(([, name]) => name);
