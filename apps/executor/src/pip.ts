import { spawn } from 'node:child_process';
import process from 'node:process';
import type { Clock } from '@das/kernel';

/** Where packages come from, as the node's owner says. */
export interface PackageSources {
  /** Folder of wheels. */
  readonly findLinks: string | undefined;
  /** A package index. */
  readonly indexUrl: string | undefined;
}

/** A resolution that takes longer is ended (ms). */
export const pipMs = 120_000;
/** The end of what pip says is kept: it tells there what went wrong. */
const wordsMax = 1_500;

/**
 * Installs wheels, and nothing that would have to be built, into a folder: no code of a package runs. Reaches the sources and nothing else.
 * Resolves to pip's own words when it fails.
 */
export function pipInstall(
  python: string,
  { file, target, home }: { readonly file: string; readonly target: string; readonly home: string },
  { findLinks, indexUrl }: PackageSources,
  clock: Clock,
): Promise<string | undefined> {
  const quiet = ['--quiet', '--no-input', '--disable-pip-version-check', '--no-cache-dir', '--progress-bar', 'off'];
  const from = [
    ...(indexUrl === undefined ? ['--no-index'] : []),
    ...(findLinks === undefined ? [] : ['--find-links', findLinks]),
  ];
  const args = ['-m', 'pip', 'install', ...quiet, '--only-binary', ':all:', '--target', target, ...from, '-r', file];
  return new Promise((resolve) => {
    const child = spawn(python, ['-I', ...args], {
      cwd: home,
      // An index may have a password in its address: it is in no list of processes, and nothing of our environment is in pip's.
      env: { ...environment(home), ...(indexUrl !== undefined && { PIP_INDEX_URL: indexUrl }) },
      stdio: ['ignore', 'ignore', 'pipe'],
      detached: true,
    });
    let words = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (words = `${words}${text}`.slice(-wordsMax * 4)));
    const over = (failure: string | undefined): void => {
      cancel();
      resolve(failure === undefined ? undefined : told(failure));
    };
    const cancel = clock.timer(pipMs, () => {
      if (child.pid !== undefined) endGroup(child.pid);
      over(`pip was ended after ${pipMs / 1_000} s`);
    });
    child.once('error', ({ message }) => over(message));
    child.once('close', (code) => over(code === 0 ? undefined : words || `pip ended with code ${code ?? 'none'}`));
  });
}

const environment = (home: string): Record<string, string> => ({
  ...{ PATH: '/usr/local/bin:/usr/bin:/bin', HOME: home, TMPDIR: home, LANG: 'C.UTF-8' },
  ...{ PIP_CONFIG_FILE: '/dev/null', PIP_ROOT_USER_ACTION: 'ignore' },
});

function endGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It has just ended by itself.
  }
}

/** Without passwords, and the end rather than the beginning. */
const told = (words: string): string =>
  words
    .replace(/\/\/[^/\s@]+@/g, '//')
    .trim()
    .slice(-wordsMax);
