import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import type { Clock } from '@das/kernel';
import { type PlaceLimits, placeLimitsDefault } from '../core/bounds.js';
import { DirectLauncher } from '../launch/direct-launcher.js';
import { Warden, probeUid } from '../launch/warden.js';
import type { Runtime } from '../ports/runtime.js';
import { WorkerPool } from '../pool/worker-pool.js';
import { Scratch } from '../pool/scratch.js';
import { type FoundPython, findPython } from '../python/find-python.js';
import { PythonNursery } from '../python/python-nursery.js';
import { Landlocked } from '../sandbox/landlocked.js';
import { Rooms } from '../sandbox/rooms.js';
import type { Launcher } from '../ports/launch.js';
import { PythonRuntime } from '../python/python-runtime.js';

export const uidBase = 64_000;

/** Each worker a new interpreter, a fork of one that is ready, or a fork in a room or shut in by Landlock. */
export type Birth = 'exec' | 'fork' | 'bwrap' | 'bwrap without /proc' | 'landlock';
/** Those that differ in more than what a worker can see. */
export const births: readonly Birth[] = ['exec', 'fork', 'bwrap', 'landlock'];

/** A pool of real workers in a temporary folder, for tests. */
export interface WorkerBench {
  readonly pool: WorkerPool;
  readonly warden: Warden;
  readonly folder: string;
  /** Workers that could not be started, and why. */
  readonly faults: readonly unknown[];
  /** Names of the private folders that exist. */
  folders(): Promise<string[]>;
  close(): Promise<void>;
}

export async function workerBench(
  clock: Clock,
  newId: () => string,
  more: {
    slots?: number;
    limits?: Partial<PlaceLimits>;
    how?: Birth;
    runtime?: Runtime;
    /** Folders that workers may read. */
    reads?: readonly string[];
  } = {},
): Promise<WorkerBench> {
  const folder = await mkdtemp(join(tmpdir(), 'das-bench-'));
  const uid = process.getuid?.() === 0 ? probeUid(uidBase) : undefined;
  const python = await findPython({ chosen: undefined, path: '/usr/local/bin:/usr/bin', uid, clock });
  const faults: unknown[] = [];
  const warden = new Warden(python.path, uidBase, folder, { clock, onUnbounded: () => undefined });
  const { launcher, end } = launcherFor(more.how ?? 'exec', { python, root: folder, clock }, more.reads ?? []);
  const pool = new WorkerPool({
    ...{ clock, newId, warden, slots: more.slots ?? 1, limits: { ...placeLimitsDefault, ...more.limits } },
    runtime: more.runtime ?? new PythonRuntime(python.path),
    launcher,
    scratch: new Scratch(folder),
    onFault: (error) => void faults.push(error),
  });
  const close = async (): Promise<void> => {
    await pool.close();
    await end();
    await warden.close();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await pool.open();
  } catch (error) {
    await close();
    throw error;
  }
  return {
    pool,
    warden,
    folder,
    faults,
    close,
    folders: async () => (await readdir(folder)).filter((name) => name.startsWith('w-')),
  };
}

interface Made {
  readonly launcher: Launcher;
  readonly end: () => Promise<void>;
}

function launcherFor(
  how: Birth,
  at: { python: FoundPython; root: string; clock: Clock },
  readable: readonly string[],
): Made {
  const { path: interpreter, prefixes } = at.python;
  const codeRoot = join(at.root, 'code');
  const shared = { readable, writable: [] };
  if (how === 'exec') return { launcher: new DirectLauncher(), end: async () => undefined };
  if (how === 'bwrap' || how === 'bwrap without /proc') {
    const users = process.getuid?.() !== 0;
    const proc = how === 'bwrap';
    const rooms = new Rooms({ ...at, interpreter, prefixes, codeRoot, shared, bwrap: 'bwrap', users, proc });
    return { launcher: rooms, end: () => rooms.close() };
  }
  const nursery = new PythonNursery({ ...at, interpreter });
  const end = (): Promise<void> => nursery.close();
  if (how === 'fork') return { launcher: nursery, end };
  const launcher = process.getuid?.() === 0 ? nursery : new DirectLauncher();
  return { launcher: new Landlocked({ interpreter, prefixes, codeRoot, shared, launcher }), end };
}
