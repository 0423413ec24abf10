// Finds a Rust toolchain that can compile this workspace natively and to WebAssembly, or installs one.
//
// Tried in this order:
//   1. whatever `cargo` is on the PATH, when it has the wasm target;
//   2. Debian's own packages, when set up before;
//   3. rustup, asked for the target;
//   4. as root on Debian: the distribution's compiler. Debian ships the sources of the wasm standard library but no
//      compiled one, so it is compiled once and put where the compiler looks for it.
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { capture, isProgram, quietly, root, say, which, Stop } from './run.mjs';
import * as debian from './debian.mjs';

/** @import { Env, RustPart, Toolchain } from './types.d.ts' */

const TARGET = 'wasm32-unknown-unknown';
const STAMP = 'changeover-std.json';

const RUSTUP_HOW = 'curl --proto =https --tlsv1.2 -sSf https://sh.rustup.rs | sh';

/** The lowest compiler version the workspace accepts, from its Cargo.toml. */
function minimum() {
  return readFileSync(join(root, 'Cargo.toml'), 'utf8').match(/^rust-version\s*=\s*"([\d.]+)"/m)?.[1] ?? '1.85';
}

/** @type {(version: string, floor: string) => boolean} */
const atLeast = (version, floor) => {
  const [a, b] = [version, floor].map((text) => text.split(/[.~+-]/).map(Number));
  for (let i = 0; i < 3; i += 1) if ((a[i] || 0) !== (b[i] || 0)) return (a[i] || 0) > (b[i] || 0);
  return true;
};

/**
 * Environment in which `cargo` and its subcommands are the given folder's.
 *
 * @type {(folder: string | null) => Env}
 */
const preferring = (folder) => (folder ? { ...process.env, PATH: `${folder}${delimiter}${process.env.PATH}` } : { ...process.env });

/**
 * What a toolchain can do: `{ env, version, verbose, lacks }`, or null without a toolchain.
 *
 * @param {string | null} folder
 * @returns {Toolchain | null}
 */
function inspect(folder) {
  const env = preferring(folder);
  const verbose = capture('rustc', ['-vV'], { env });
  if (!verbose || !capture('cargo', ['--version'], { env })) return null;
  const version = /** @type {RegExpMatchArray} */ (verbose.match(/^release: (\S+)/m))[1];
  const host = /** @type {RegExpMatchArray} */ (verbose.match(/^host: (\S+)/m))[1];
  const [sysroot, library] = /** @type {string} */ (capture('rustc', ['--print', 'sysroot', '--print', 'target-libdir', '--target', TARGET], { env })).trim().split(/\r?\n/);
  /** @type {RustPart[]} */
  const lacks = [];
  if (!atLeast(version, minimum())) lacks.push('version');
  if (!targetIsThere(library, verbose)) lacks.push('target');
  const linker = wasmLinker(sysroot, host, env);
  if (!linker) lacks.push('linker');
  else if (linker !== 'own') env.CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER = linker;
  if (!which('cc', env) && process.platform !== 'win32') lacks.push('cc');
  if (!capture('cargo', ['fmt', '--version'], { env })) lacks.push('rustfmt');
  if (!capture('cargo', ['clippy', '--version'], { env })) lacks.push('clippy');
  return { env, version, verbose, library, folder, lacks };
}

/** @type {(library: string, verbose: string) => boolean} */
function targetIsThere(library, verbose) {
  if (!existsSync(library)) return false;
  if (!readdirSync(library).some((name) => /^libcore-.*\.rlib$/.test(name))) return false;
  const stamp = join(library, STAMP);
  return !existsSync(stamp) || JSON.parse(readFileSync(stamp, 'utf8')).compiler === verbose;
}

/**
 * 'own' when the toolchain brings rust-lld, else the newest wasm-ld on the PATH, else null.
 *
 * @param {string} sysroot
 * @param {string} host
 * @param {Env} env
 */
function wasmLinker(sysroot, host, env) {
  const asked = env.CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER;
  if (asked) return asked;
  const ending = process.platform === 'win32' ? '.exe' : '';
  if (isProgram(join(sysroot, 'lib', 'rustlib', host, 'bin', `rust-lld${ending}`)) || which('rust-lld', env)) return 'own';
  /** @type {{number: number, name: string} | null} */
  let best = null;
  for (const folder of (env.PATH ?? '').split(delimiter).filter(existsSync)) {
    for (const name of readdirSync(folder)) {
      const number = name.match(/^wasm-ld-(\d+)$/)?.[1];
      if (number && Number(number) > (best?.number ?? 0)) best = { number: Number(number), name };
    }
  }
  return best?.name ?? (which('wasm-ld', env) ? 'wasm-ld' : null);
}

const debianFolder = () => (debian.hasApt && isProgram('/usr/bin/rustc') && isProgram('/usr/bin/cargo') ? '/usr/bin' : null);
const isRustup = () => which('rustup') !== null;

/**
 * @param {Toolchain | null} toolchain
 * @returns {toolchain is Toolchain}
 */
const complete = (toolchain) => /** @type {boolean} */ (toolchain && toolchain.lacks.length === 0);

/**
 * The toolchain that is ready now, or null; installs nothing.
 *
 * @returns {Toolchain | null}
 */
export function findRust() {
  const usual = inspect(null);
  if (complete(usual)) return usual;
  const packaged = debianFolder() && inspect(debianFolder());
  return complete(packaged) ? packaged : null;
}

/**
 * Returns a complete toolchain, installing what is missing.
 *
 * @returns {Promise<Toolchain>}
 */
export async function setUpRust() {
  const ready = findRust();
  if (ready) {
    say(`  Rust ${ready.version} with ${TARGET}${ready.folder ? ` (Debian's, in ${ready.folder})` : ''}`);
    return ready;
  }
  if (isRustup()) {
    const repaired = await askRustup();
    if (repaired) return repaired;
  }
  if (debian.mayInstall) return installFromDebian();
  throw new Stop(explain(inspect(null)));
}

async function askRustup() {
  const options = { mayFail: true, timeout: 300_000 };
  if (!inspect(null)) {
    say('  rustup has no usable toolchain: asking it for the stable one');
    await quietly('rustup toolchain install', 'rustup', ['toolchain', 'install', 'stable', '--profile', 'minimal'], options);
  }
  /** @type {string[]} */
  const lacks = inspect(null)?.lacks ?? ['everything'];
  if (lacks.includes('target')) {
    say(`  Rust's standard library for ${TARGET} is missing: it compiles the runtime for the browser`);
    await quietly(`rustup target add ${TARGET}`, 'rustup', ['target', 'add', TARGET], options);
  }
  for (const component of ['rustfmt', 'clippy'].filter((name) => lacks.includes(name))) {
    await quietly(`rustup component add ${component}`, 'rustup', ['component', 'add', component], options);
  }
  if (lacks.includes('cc') && debian.mayInstall) await debian.install(['gcc', 'libc6-dev'], 'Rust links native programs with the C compiler');
  const now = inspect(null);
  if (complete(now)) {
    say(`  Rust ${now.version} with ${TARGET}`);
    return now;
  }
  if (debian.mayInstall) say('  rustup could not provide all of it: using the packages of Debian instead');
  return null;
}

/** Debian names the same compiler `rustc-web` where the browser packages needed a newer one than the release had. */
async function installFromDebian() {
  const families = [
    { compiler: 'rustc-web', names: ['rustc-web', 'cargo-web', 'rust-web-clippy', 'rustfmt-web'], source: 'rust-web-src', library: 'libstd-rust-web-dev-wasm32' },
    { compiler: 'rustc', names: ['rustc', 'cargo', 'rust-clippy', 'rustfmt'], source: 'rust-src', library: 'libstd-rust-dev-wasm32' },
  ];
  const offered = await debian.candidates(families.flatMap((family) => [...family.names, family.source, family.library]));
  const family = families.find(({ compiler, names }) => names.every((name) => offered.has(name)) && atLeast(/** @type {string} */ (offered.get(compiler)), minimum()));
  if (!family) throw new Stop(`Debian's packages have no Rust ${minimum()} or newer; install it with \`${RUSTUP_HOW}\` and run this again.`);
  const lld = await debian.newestNumbered('lld-');
  if (!lld) throw new Stop('Debian\'s packages have no lld, the linker for WebAssembly; run `apt-get install lld`.');
  const compiled = offered.has(family.library) && offered.get(family.library) === offered.get(family.compiler);
  await debian.install([...family.names, compiled ? family.library : family.source, lld], 'Rust compiles the runtime, the engine tests and the CLI');

  let toolchain = inspect('/usr/bin');
  if (toolchain?.lacks.includes('target')) {
    await buildStandardLibrary(toolchain);
    toolchain = inspect('/usr/bin');
  }
  if (!complete(toolchain)) throw new Stop(explain(toolchain));
  say(`  Rust ${toolchain.version} with ${TARGET} (Debian's, in /usr/bin)`);
  return toolchain;
}

/** @param {Toolchain} toolchain */
async function buildStandardLibrary({ env, verbose, library }) {
  say(`  compiling Rust's standard library for ${TARGET}: Debian has its sources only`);
  const work = mkdtempSync(join(tmpdir(), 'changeover-std-'));
  try {
    mkdirSync(join(work, 'src'));
    writeFileSync(join(work, 'Cargo.toml'), '[package]\nname = "seed"\nversion = "0.0.0"\nedition = "2021"\n[workspace]\n[profile.release]\ndebug = false\n');
    writeFileSync(join(work, 'src', 'lib.rs'), '');
    // Without embedded bitcode, link-time optimisation of the runtime fails. A stable compiler builds its own
    // library only when told to bootstrap.
    const flags = { RUSTC_BOOTSTRAP: '1', RUSTFLAGS: '-Cembed-bitcode=yes', CARGO_TARGET_DIR: join(work, 'target') };
    await quietly('cargo build of the standard library', 'cargo',
      ['build', '--release', '--target', TARGET, '-Zbuild-std=core,alloc,std,panic_abort,panic_unwind,proc_macro,test'],
      { env: { ...env, ...flags }, cwd: work, hint: `the standard library for ${TARGET} could not be compiled` });
    const built = join(work, 'target', TARGET, 'release', 'deps');
    forgetLibrary(library);
    mkdirSync(library, { recursive: true });
    const files = readdirSync(built).filter((name) => name.endsWith('.rlib') && !name.startsWith('libseed-'));
    const stamp = (/** @type {string} */ compiler) => writeFileSync(join(library, STAMP), JSON.stringify({ compiler }));
    stamp('unfinished'); // a half-copied library is built again, not used
    for (const name of files) cpSync(join(built, name), join(library, name));
    stamp(verbose);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/**
 * Removes what an earlier run compiled: libraries of another compiler version make every build fail.
 *
 * @param {string} library
 */
function forgetLibrary(library) {
  if (!existsSync(library)) return;
  for (const name of readdirSync(library)) if (name === STAMP || name.endsWith('.rlib')) rmSync(join(library, name));
}

/** @param {Toolchain | null} toolchain */
function explain(toolchain) {
  if (!toolchain) return `Rust is missing; install it with \`${RUSTUP_HOW}\` and run this again.`;
  /** @type {{[part in RustPart]?: string}} */
  const how = isRustup()
    ? { version: 'rustup update stable', target: `rustup target add ${TARGET}`, linker: 'rustup component add llvm-tools', rustfmt: 'rustup component add rustfmt', clippy: 'rustup component add clippy' }
    : { version: RUSTUP_HOW, target: RUSTUP_HOW, linker: RUSTUP_HOW, rustfmt: RUSTUP_HOW, clippy: RUSTUP_HOW };
  how.cc = process.platform === 'darwin' ? 'xcode-select --install' : debian.hasApt ? 'sudo apt-get install gcc libc6-dev' : 'your package manager (package gcc)';
  const names = { version: `Rust ${minimum()} or newer (this is ${toolchain.version})`, target: `Rust's standard library for ${TARGET}`, linker: 'a linker for WebAssembly', cc: 'a C compiler to link with', rustfmt: 'rustfmt', clippy: 'clippy' };
  const first = toolchain.lacks[0];
  return `${names[first]} is missing; get it with \`${how[first]}\` and run this again.`;
}
