import type { Cancel } from '@das/kernel';
import { freshWanted, pickWorker, standby, surplusFresh, surplusWorkers } from '../core/pool-plan.js';
import { NotStartedError } from '../ports/errors.js';
import type { Inspection, ScriptText } from '../ports/runtime.js';
import { withLastWords } from './last-words.js';
import type { PooledWorker } from './pooled-worker.js';
import { type StartOptions, startWorker } from './worker-start.js';

export interface PoolOptions extends StartOptions {
  readonly slots: number;
  /** Fresh workers while no job is expected. @default slots */
  readonly atRest?: number;
}

/** Which job a worker is for. */
export interface Binding {
  readonly job: string;
  readonly generation: number;
  /** Its worker may use the network: fresh ones may not, so it is made when it is needed. @default false */
  readonly network?: boolean;
}

/** Pause after a worker could not be started (ms). */
const restartPauseMs = 1_000;
/** Starts that one attempt waits for. */
const startTriesMax = 3;
const inspectMs = 20_000;
/** While fresh workers are left, others are made so much later (ms): to start them would take the cores from the part that is just starting. */
const replenishMs = 25;
const sweepMs = 1_000;

/** Keeps fresh workers ready, so that a job's first part does not wait for an interpreter; a worker that has seen one job never sees another. */
export class WorkerPool {
  readonly #all = new Set<PooledWorker>();
  readonly #idle = new Set<PooledWorker>();
  #starting = 0;
  #closed = false;
  #jobMs: number | undefined;
  #pausing: Promise<void> | undefined;
  #endPause: (() => void) | undefined;
  #cancelSoon: Cancel | undefined;
  readonly #launching = new Set<Promise<unknown>>();
  readonly #cancels: Cancel[] = [];

  constructor(private readonly options: PoolOptions) {}

  /** Starts the first workers; resolves when one is ready. @throws NotStartedError when the machine cannot start any; to be closed then, too. */
  async open(): Promise<void> {
    await this.options.scratch.open();
    if (this.#closed) throw closed();
    this.#cancels.push(this.options.clock.every(sweepMs, () => this.#sweep()));
    const first = await this.#launch();
    this.#rest(first);
    this.#replenish();
  }

  /** Worker processes alive. */
  get size(): number {
    return this.#all.size;
  }

  /**
   * A worker for the job: its own one used last, a fresh one, or a new one. Give it back by {@link release}, or end it.
   * @throws NotStartedError when none could be started for a while.
   */
  async acquire(binding: Binding): Promise<PooledWorker> {
    const name = `${binding.job}/${binding.generation}`;
    this.#jobMs = this.options.clock.monotonic();
    const worker = await this.#obtain(name, binding.network ?? false);
    worker.binding = name;
    worker.job = binding.job;
    worker.generation = binding.generation;
    this.#replenishSoon();
    return worker;
  }

  /** The worker waits for the next part of its job. */
  release(worker: PooledWorker): void {
    if (!worker.alive || this.#closed) return worker.kill();
    this.#rest(worker);
    this.#sweep();
  }

  /** Parses a script in a fresh worker, which stays fresh unless it was shown the `folder` of a bundle: nothing of the script was run. @throws WorkerGoneError, NotStartedError. */
  async inspect(code: ScriptText, folder?: string): Promise<Inspection> {
    const worker = this.#pick('') ?? (await this.#launch());
    const stop = this.options.clock.timer(inspectMs, () => worker.kill());
    try {
      const seen = folder === undefined ? undefined : await worker.process.bind(folder, 'code');
      const inspection = await worker.runtime.inspect(code, seen);
      // What it was shown must not be seen by the next job.
      if (worker.alive && folder === undefined) this.#rest(worker);
      else worker.kill();
      return inspection;
    } catch (error) {
      worker.kill();
      throw error;
    } finally {
      stop();
      this.#replenish();
    }
  }

  /** Ends the workers of a job that nobody uses; those in use are ended by who uses them. */
  endJob(job: string, belowGeneration = Number.POSITIVE_INFINITY): void {
    for (const worker of this.#idle) {
      if (worker.job !== job || worker.generation >= belowGeneration) continue;
      this.#idle.delete(worker);
      worker.kill();
    }
  }

  /** Ends every worker; resolves when all processes and folders are gone. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const cancel of [...this.#cancels, this.#cancelSoon]) cancel?.();
    this.#endPause?.();
    // Those that are just being started are killed when they are there.
    for (const worker of this.#all) worker.kill();
    await Promise.allSettled(this.#launching);
    await Promise.all([...this.#all].map(({ gone }) => gone));
  }

  async #obtain(binding: string, network: boolean): Promise<PooledWorker> {
    for (let tries = 1; ; tries += 1) {
      try {
        return this.#pick(binding, !network) ?? (await this.#launch(network));
      } catch (error) {
        if (!(error instanceof NotStartedError) || tries === startTriesMax || this.#closed) throw error;
        await this.#pause(error);
      }
    }
  }

  #pick(binding: string, fresh = true): PooledWorker | undefined {
    const worker = pickWorker(this.#idleList(), binding, fresh);
    if (worker !== undefined) this.#idle.delete(worker);
    return worker;
  }

  #idleList(): Array<{ id: PooledWorker; binding: string | undefined; idleSinceMs: number }> {
    return [...this.#idle].map((id) => ({ id, binding: id.binding, idleSinceMs: id.idleSinceMs }));
  }

  #rest(worker: PooledWorker): void {
    worker.idleSinceMs = this.options.clock.monotonic();
    this.#idle.add(worker);
  }

  #sweep(): void {
    const idle = this.#idleList();
    const surplus = surplusWorkers(idle, this.options.slots, this.options.clock.monotonic());
    for (const worker of [...surplus, ...surplusFresh(idle, this.#standby)]) {
      this.#idle.delete(worker);
      worker.kill();
    }
  }

  get #standby(): number {
    const { slots, atRest = slots, clock } = this.options;
    return standby(slots, atRest, this.#jobMs === undefined ? undefined : clock.monotonic() - this.#jobMs);
  }

  get #fresh(): number {
    return [...this.#idle].filter(({ binding }) => binding === undefined).length;
  }

  #replenishSoon(): void {
    if (this.#fresh === 0) return this.#replenish();
    this.#cancelSoon ??= this.options.clock.timer(replenishMs, () => this.#replenish());
  }

  #replenish(): void {
    this.#cancelSoon?.();
    this.#cancelSoon = undefined;
    if (this.#closed || this.#pausing !== undefined) return;
    const wanted = freshWanted(this.#standby, this.#fresh, this.#starting);
    for (let n = 0; n < wanted; n += 1) void this.#startAhead();
  }

  async #startAhead(): Promise<void> {
    this.#starting += 1;
    try {
      const worker = await this.#launch();
      if (this.#closed || !worker.alive) worker.kill();
      else this.#rest(worker);
    } catch (error) {
      void this.#pause(error);
    } finally {
      this.#starting -= 1;
    }
  }

  /** One pause for all who wait; then the fresh workers are tried again. Ends early when the pool closes. */
  #pause(error: unknown): Promise<void> {
    if (this.#closed) return Promise.resolve();
    return (this.#pausing ??= new Promise((resolve) => {
      this.options.onFault(error);
      const cancel = this.options.clock.timer(restartPauseMs, () => this.#endPause?.());
      this.#endPause = () => {
        cancel();
        this.#pausing = this.#endPause = undefined;
        this.#replenish();
        resolve();
      };
    }));
  }

  #launch(network = false): Promise<PooledWorker> {
    const launching = this.#launchOne(network);
    this.#launching.add(launching);
    const forget = (): void => void this.#launching.delete(launching);
    launching.then(forget, forget);
    return launching;
  }

  async #launchOne(network: boolean): Promise<PooledWorker> {
    if (this.#closed) throw closed();
    const worker = await startWorker(this.options, network);
    this.#all.add(worker);
    if (this.#closed) worker.kill();
    void worker.process.exited.then(() => this.#lost(worker));
    void worker.gone.then(() => this.#all.delete(worker));
    await withLastWords(worker, () => worker.runtime.ready);
    return worker;
  }

  #lost(worker: PooledWorker): void {
    if (this.#idle.delete(worker)) this.#replenish();
  }
}

const closed = (): NotStartedError => new NotStartedError('the pool is closed');
