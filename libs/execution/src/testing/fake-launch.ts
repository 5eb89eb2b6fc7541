import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { PassThrough } from 'node:stream';
import type { Clock } from '@das/kernel';
import { placeLimitsDefault } from '../core/bounds.js';
import type { Exit } from '../core/failures.js';
import { Scratch } from '../pool/scratch.js';
import type { StartOptions } from '../pool/worker-start.js';
import { WorkerGoneError } from '../ports/errors.js';
import type { LaunchedProcess } from '../ports/launch.js';
import type { Runtime, RuntimeWorker } from '../ports/runtime.js';

const notStruck = { memory: 0, processes: 0 };

/** A process that is none: it ends when it is told to. */
export class FakeProcess implements LaunchedProcess {
  readonly channel = new PassThrough();
  readonly stdout = new PassThrough();
  readonly stderr = new PassThrough();
  readonly exited: Promise<Exit>;
  readonly signals: string[] = [];
  #exit!: (exit: Exit) => void;

  constructor(readonly pid = 4_000_000) {
    this.exited = new Promise((resolve) => (this.#exit = resolve));
  }
  signal(signal: 'SIGTERM' | 'SIGKILL'): void {
    this.signals.push(signal);
    this.end({ code: null, signal });
  }
  async bind(folder: string): Promise<string> {
    return folder;
  }
  async resize(): Promise<void> {}
  end(exit: Exit): void {
    this.#exit(exit);
  }
}

/** What starting a worker needs, without processes: all that is lent and given back is written down. */
export interface FakeStart extends StartOptions {
  readonly did: string[];
  readonly faults: unknown[];
  folders(): Promise<string[]>;
  close(): Promise<void>;
}

/** `launch`: gives the process, or throws. The account is our own, as any account can give its files to itself. */
export async function fakeStart(
  clock: Clock,
  launch: () => LaunchedProcess,
  more: Partial<Runtime> = {},
): Promise<FakeStart> {
  const root = await mkdtemp(join(tmpdir(), 'das-start-'));
  const uid = process.getuid?.() ?? null;
  const did: string[] = [];
  const faults: unknown[] = [];
  let marks = 0;
  const runtime: Runtime = {
    language: 'fake',
    command: () => ({ file: 'fake', args: [], env: {} }),
    furnish: async () => ({
      position: () => ({ item: undefined, counter: 0 }),
      confirm: () => undefined,
      cancel: () => undefined,
      close: async () => void did.push('close'),
    }),
    attach: ({ exited }) => workerOf(exited),
    ...more,
  };
  return {
    ...{ runtime, clock, did, faults, limits: placeLimitsDefault, scratch: new Scratch(root) },
    newId: () => `m${(marks += 1)}`,
    onFault: (error) => void faults.push(error),
    launcher: { launch: async () => launch() },
    warden: {
      claim: async () => {
        did.push('claim');
        return uid;
      },
      release: () => void did.push('release'),
      watch: () => void did.push('watch'),
      limit: async () => undefined,
      struck: async () => notStruck,
      end: async () => {
        did.push('end');
        return notStruck;
      },
    },
    folders: () => readdir(root),
    close: () => rm(root, { recursive: true, force: true }),
  };
}

export function workerOf(exited: Promise<Exit>): RuntimeWorker {
  return {
    ready: Promise.resolve(),
    inspect: async () => Promise.reject(new WorkerGoneError(await exited)),
    load: async () => undefined,
    run: async () => ({ kind: 'gone', exit: await exited }),
    position: () => ({ item: undefined, counter: 0 }),
    confirm: () => undefined,
    cancel: () => undefined,
    waitsForUs: false,
  };
}
