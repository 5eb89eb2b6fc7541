import type { Clock } from '@das/kernel';
import { NotStartedError } from '../ports/errors.js';
import type { Inspection, ScriptText } from '../ports/runtime.js';
import type { Venv } from '../python/find-venv.js';
import { venvDoesNotRun } from '../python/venv-unfit.js';
import type { PooledWorker } from './pooled-worker.js';
import { failsAgain } from './probe-worker.js';
import { Turns } from './turns.js';
import type { Binding, WorkerPool } from './worker-pool.js';

export interface VenvPoolsOptions {
  /** @throws NodeUnfitError. */
  readonly find: (folder: string) => Promise<Venv>;
  readonly poolOf: (venv: Venv) => WorkerPool;
  /** Starts one worker to see whether it can; gives up when the signal is aborted. @throws NotStartedError; nothing of the worker is left. */
  readonly probe: (venv: Venv, signal: AbortSignal) => Promise<void>;
  readonly clock: Clock;
}

interface Entry {
  readonly pool: WorkerPool;
  readonly opened: Promise<void>;
  readonly stop: AbortController;
  users: number;
  used: number;
}

/** Environments whose workers are kept when no part runs in them. */
export const venvsMax = 4;
/** Environments that are opened at a time: anybody who may submit can name as many as there are folders. */
export const openingMax = 2;
/** Environments that wait to be opened, while parsers may join them. Parts may always: there are no more of them than slots. */
export const waitingMax = 8;
/** The worker that tries an environment and the first that is kept have answered by then, both (ms): who submits waits for 10 s. */
export const venvOpenMs = 8_000;

/** Pools of workers by virtual environment, made when a job first wants one; the one used longest ago ends when there are too many. */
export class VenvPools {
  /** By the environment's key: one that is made anew has new workers. */
  readonly #entries = new Map<string, Entry>();
  readonly #owners = new WeakMap<PooledWorker, Entry>();
  readonly #closing = new Set<Promise<unknown>>();
  readonly #turns = new Turns(openingMax);
  #used = 0;
  #closed = false;

  constructor(private readonly options: VenvPoolsOptions) {}

  /** Worker processes alive. */
  get size(): number {
    return [...this.#entries.values()].reduce((sum, { pool }) => sum + pool.size, 0);
  }

  /** As {@link WorkerPool.acquire}. @throws NodeUnfitError also, when the environment cannot be used here. */
  async acquire(folder: string, binding: Binding): Promise<PooledWorker> {
    const entry = await this.#entry(folder);
    try {
      const worker = await entry.pool.acquire(binding);
      this.#owners.set(worker, entry);
      void worker.process.exited.then(() => this.#letGo(worker));
      return worker;
    } catch (error) {
      entry.users -= 1;
      throw error;
    }
  }

  /** As {@link WorkerPool.inspect}. @throws as {@link acquire}; NotStartedError also when too many environments wait to be opened. */
  async inspect(folder: string, code: ScriptText, bundle?: string): Promise<Inspection> {
    const entry = await this.#entry(folder, waitingMax);
    return entry.pool.inspect(code, bundle).finally(() => (entry.users -= 1));
  }

  release(worker: PooledWorker): void {
    const entry = this.#letGo(worker);
    if (entry === undefined) worker.kill();
    else entry.pool.release(worker);
  }

  endJob(job: string, belowGeneration?: number): void {
    for (const { pool } of this.#entries.values()) pool.endJob(job, belowGeneration);
  }

  /** Ends every worker; resolves when all processes and folders are gone. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const key of [...this.#entries.keys()]) this.#end(key);
    while (this.#closing.size > 0) await Promise.allSettled(this.#closing);
  }

  #letGo(worker: PooledWorker): Entry | undefined {
    const entry = this.#owners.get(worker);
    if (entry === undefined || !this.#owners.delete(worker)) return undefined;
    entry.users -= 1;
    return entry;
  }

  /** One that works, with one more user. */
  async #entry(folder: string, waiting = Number.POSITIVE_INFINITY): Promise<Entry> {
    const venv = await this.options.find(folder);
    if (this.#closed) throw closed();
    const known = this.#entries.get(venv.key);
    if (known === undefined && this.#turns.waiting >= waiting) throw tooMany();
    const entry = known ?? this.#open(venv);
    entry.users += 1;
    entry.used = this.#used += 1;
    try {
      await entry.opened;
      return entry;
    } catch (error) {
      entry.users -= 1;
      if (this.#entries.get(venv.key) === entry) this.#end(venv.key);
      throw error;
    }
  }

  #open(venv: Venv): Entry {
    this.#makeRoom();
    const pool = this.options.poolOf(venv);
    const stop = new AbortController();
    const opened = this.#opening(venv, pool, stop);
    opened.catch(() => undefined);
    const entry = { pool, opened, stop, users: 0, used: 0 };
    this.#entries.set(venv.key, entry);
    return entry;
  }

  async #opening(venv: Venv, pool: WorkerPool, stop: AbortController): Promise<void> {
    const end = await this.#turns.take();
    const cancel = this.options.clock.timer(venvOpenMs, () => stop.abort(late()));
    try {
      stop.signal.throwIfAborted();
      await this.#try(venv, stop.signal);
      stop.signal.throwIfAborted();
      // What has begun by then ends with the pool.
      await Promise.race([pool.open(), aborted(stop.signal)]);
    } finally {
      cancel();
      end();
    }
  }

  /** A worker that ends by itself will do so for every job; a machine that is short of something may start one later. */
  async #try(venv: Venv, signal: AbortSignal): Promise<void> {
    try {
      await this.options.probe(venv, signal);
    } catch (error) {
      throw failsAgain(error) ? venvDoesNotRun(venv.folder, error.why) : error;
    }
  }

  /** Those in use are as many as parts that run: they may be more. */
  #makeRoom(): void {
    const idle = [...this.#entries].filter(([, { users }]) => users === 0).sort(([, a], [, b]) => a.used - b.used);
    for (const [key] of idle) {
      if (this.#entries.size < venvsMax) return;
      this.#end(key);
    }
  }

  #end(key: string): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#entries.delete(key);
    entry.stop.abort(closed());
    const ended = Promise.allSettled([entry.opened, entry.pool.close()]);
    const closing: Promise<unknown> = ended.then(() => this.#closing.delete(closing));
    this.#closing.add(closing);
  }
}

const aborted = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));

const closed = (): NotStartedError => new NotStartedError('the pools are closed');
const late = (): NotStartedError =>
  new NotStartedError(`the Python of the virtual environment did not answer within ${venvOpenMs} ms`);
const tooMany = (): NotStartedError =>
  new NotStartedError('too many virtual environments wait to be opened on this node: submit the job again later');
