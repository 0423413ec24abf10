// Types that several scripts share.

export type Env = NodeJS.ProcessEnv;

/** How a child process is started. */
export interface RunOptions {
  env?: Env;
  cwd?: string;
  /** What went wrong, in a few words, when the command fails. */
  hint?: string;
}

/** How a runner's output is counted. */
export type CountedAs = 'cargo' | 'node' | 'plain' | 'exit';

export interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

/** A command of a suite. */
export interface Step {
  /** What it is called when it fails. Default: the command with its words. */
  title?: string;
  command: string;
  args: string[];
  env?: Env;
  counts: CountedAs;
}

/** See scripts/lib/suites.mjs. */
export interface Suite {
  about: string;
  needs: string[];
  /** For a suite that runs in several browsers: what it needs with these words. */
  needsFor?(words: string[]): string[];
  builds?: boolean;
  long?: boolean;
  steps(words: string[], missing: string[]): Step[];
}

export type BrowserName = 'chromium' | 'firefox' | 'webkit';

export type RustPart = 'version' | 'target' | 'linker' | 'cc' | 'rustfmt' | 'clippy';

export interface Toolchain {
  /** In which its `cargo` is the first one. */
  env: Env;
  version: string;
  /** What `rustc -vV` says. */
  verbose: string;
  /** The folder of the compiled standard library for WebAssembly. */
  library: string;
  /** Where its programs are, when not on the PATH. */
  folder: string | null;
  lacks: RustPart[];
}

/** A build of the demo app; see www/builds.mjs. */
export interface DemoBuild {
  number: number;
  title: string;
  message: string;
  id: string;
  /** The folder of what was built. */
  dist: string;
}
