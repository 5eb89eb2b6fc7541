import { spawn } from 'node:child_process';
import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { type Clock, messageOf } from '@das/kernel';
import { InterpreterMissingError } from '../ports/errors.js';

export interface FoundPython {
  readonly path: string;
  readonly version: string;
  /** Folders that it needs: its own, and that of the installation behind a virtual environment. */
  readonly prefixes: readonly string[];
}

const probe =
  'import sys, json, mmap, ctypes, resource, zlib; print(sys.executable); print("%d.%d.%d" % sys.version_info[:3]); print(sys.prefix); print(sys.base_prefix); print(sys.exec_prefix)';
const probeMs = 20_000;

/** @throws InterpreterMissingError naming every candidate and why it was not taken; nothing is left running. */
export async function findPython(options: {
  /** The user's choice: no other is tried. */
  readonly chosen: string | undefined;
  readonly path: string | undefined;
  /** Scripts run as this account. */
  readonly uid: number | undefined;
  readonly clock: Clock;
}): Promise<FoundPython> {
  const tried: Array<{ path: string; why: string }> = [];
  const onPath = options.chosen === undefined ? await firstOnPath(options.path ?? '') : [];
  const candidates =
    options.chosen !== undefined ? [options.chosen] : [...onPath, '/usr/bin/python3', '/usr/local/bin/python3'];
  for (const path of new Set(candidates)) {
    const result = await tryPython(path, options.uid, options.clock);
    if ('version' in result) return result;
    tried.push({ path, why: result.why });
  }
  throw new InterpreterMissingError(tried);
}

async function firstOnPath(path: string): Promise<string[]> {
  for (const folder of path.split(delimiter)) {
    const file = join(folder, 'python3');
    const there = await access(file, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (folder !== '' && there) return [file];
  }
  return [];
}

async function tryPython(path: string, uid: number | undefined, clock: Clock): Promise<FoundPython | { why: string }> {
  const { output, why } = await run(path, uid, clock);
  if (why !== undefined) return { why };
  const [real = '', version = '', ...prefixes] = output.trim().split('\n');
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major !== 3 || minor < 9) return { why: `is Python ${version}` };
  // What runs is the interpreter itself, not a script in front of it that chooses one.
  return { path: real === '' ? path : real, version, prefixes: [...new Set(prefixes)] };
}

function run(path: string, uid: number | undefined, clock: Clock): Promise<{ output: string; why?: string }> {
  return new Promise((resolve) => {
    const account = uid === undefined ? {} : { uid, gid: uid };
    const child = spawn(path, ['-I', '-c', probe], {
      cwd: '/',
      env: { PATH: '/usr/local/bin:/usr/bin:/bin', LANG: 'C.UTF-8' },
      stdio: ['ignore', 'pipe', 'ignore'],
      ...account,
    });
    const stop = clock.timer(probeMs, () => child.kill('SIGKILL'));
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.once('error', (error) => {
      stop();
      resolve({ output, why: reasonOf(error) });
    });
    child.once('close', (code, signal) => {
      stop();
      if (code === 0) resolve({ output });
      else resolve({ output, why: signal === null ? `exit code ${code ?? '?'}` : `ended by ${signal}` });
    });
  });
}

/** Of a start that the system refused. */
export function reasonOf(error: Error & { code?: string }): string {
  if (error.code === 'EACCES') return 'cannot be reached by the account of scripts';
  // As in a container that drops the capabilities of root.
  if (error.code === 'EPERM')
    return 'this node is started as root, but may not change to the account of scripts (CAP_SETUID, CAP_SETGID): start it as an ordinary account';
  return error.code === 'ENOENT' ? 'not found' : messageOf(error);
}
