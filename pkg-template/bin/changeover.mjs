#!/usr/bin/env node
// Starts the native program for this platform and passes everything on: arguments, streams, signals, exit code.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const platform = `${process.platform}-${process.arch}`;
const ending = process.platform === 'win32' ? '.exe' : '';
const program = process.env.CHANGEOVER_BIN ?? fileURLToPath(new URL(`../native/${platform}/changeover${ending}`, import.meta.url));

if (!existsSync(program)) {
  console.error(`changeover has no program for ${platform} (${program}); build it with \`cargo install changeover-cli\` and name it in CHANGEOVER_BIN.`);
  process.exit(1);
}

const child = spawn(program, process.argv.slice(2), { stdio: 'inherit' });
const signals = /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP']);
for (const signal of signals) process.on(signal, () => child.kill(signal));
child.on('error', (error) => {
  console.error(`changeover could not be started: ${error.message}`);
  process.exit(1);
});
child.on('exit', (code, signal) => {
  if (!signal) process.exit(code);
  for (const name of signals) process.removeAllListeners(name);
  process.kill(process.pid, signal);
});
