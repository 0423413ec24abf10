import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '..', '..');
export const PACKAGE = join(ROOT, 'dist', 'npm');

const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
/** @type {{ tarball: string, files: { path: string, size: number, mode: number }[] } | undefined} */
let made;

/** Packs the package once, as a release would: `{ tarball, files }`. */
export function packed() {
  if (!made) {
    const folder = mkdtempSync(join(tmpdir(), 'changeover-pack-'));
    process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
    const [pack] = JSON.parse(execFileSync(npm, ['pack', '--json', '--pack-destination', folder], { cwd: PACKAGE, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }));
    made = { tarball: join(folder, pack.filename), files: pack.files };
  }
  return made;
}
