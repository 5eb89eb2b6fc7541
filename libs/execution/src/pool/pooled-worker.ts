import { StringDecoder } from 'node:string_decoder';
import type { Clock } from '@das/kernel';
import type { Exit } from '../core/failures.js';
import type { PlaceLimits } from '../core/bounds.js';
import type { Struck } from '../launch/warden.js';
import type { LaunchedProcess } from '../ports/launch.js';
import type { RuntimeWorker } from '../ports/runtime.js';

export type LogStream = 'stdout' | 'stderr';
export type LogListener = (stream: LogStream, text: string) => void;

/** A cooperative script may end by itself for so long after SIGTERM (ms). */
export const cancelGraceMs = 500;

/** Limits of a job that are set from outside its worker, once it is known. */
export type WorkerLimits = Pick<PlaceLimits, 'memoryBytes' | 'processes' | 'scratchBytes'>;

/** What the kernel counts for a worker and all that it starts. */
export interface WorkerGroup {
  limit(limits: WorkerLimits): Promise<void>;
  struck(): Promise<Struck>;
  /** Resolves when all of it has ended, with what struck it. */
  readonly ended: Promise<Struck>;
}

/** A worker process with what the pool knows of it. */
export class PooledWorker {
  /** The job and generation it belongs to, from the first use on. */
  binding: string | undefined;
  job: string | undefined;
  generation = 0;
  idleSinceMs = 0;
  loaded = false;
  #alive = true;
  #listener: LogListener | undefined;
  #struck: Struck = { memory: 0, processes: 0 };

  constructor(
    readonly process: LaunchedProcess,
    readonly runtime: RuntimeWorker,
    /** Resolves when the process, all that it started, and its folder are gone. */
    readonly gone: Promise<Exit>,
    private readonly clock: Clock,
    private readonly group: WorkerGroup,
  ) {
    void process.exited.then(() => (this.#alive = false));
    this.#listen('stdout', process);
    this.#listen('stderr', process);
  }

  get alive(): boolean {
    return this.#alive;
  }

  /** Who gets what it prints from now on; nobody: it is dropped. */
  set onPrint(listener: LogListener | undefined) {
    this.#listener = listener;
  }
  get onPrint(): LogListener | undefined {
    return this.#listener;
  }

  /** Lowers what the worker and all that it starts may use together, where the machine can. */
  async limit(limits: WorkerLimits): Promise<void> {
    await this.group.limit(limits);
  }

  /** Which limits of its group struck since this was asked last; of a worker that has ended, once all of it has. */
  async struck(): Promise<{ readonly memory: boolean; readonly processes: boolean }> {
    const before = this.#struck;
    const now = this.#alive ? await this.group.struck() : await this.group.ended;
    this.#struck = now;
    return { memory: now.memory > before.memory, processes: now.processes > before.processes };
  }

  /** At once. */
  kill(): void {
    this.process.signal('SIGKILL');
  }

  /** Asks first: `das.cancelled()` becomes true. */
  async cancel(): Promise<void> {
    this.runtime.cancel();
    this.process.signal('SIGTERM');
    const stop = this.clock.timer(cancelGraceMs, () => this.kill());
    await this.process.exited;
    stop();
    await this.gone;
  }

  /** A character may be cut in two by the pipe. */
  #listen(name: LogStream, process: LaunchedProcess): void {
    const decoder = new StringDecoder('utf8');
    const stream = process[name];
    stream.on('data', (chunk: Buffer) => {
      if (this.#listener === undefined) return;
      this.#listener(name, decoder.write(chunk));
    });
    stream.on('error', () => undefined);
  }
}
