import type { Cancel, Clock } from '@das/kernel';
import { freshWanted, pickWorker, surplusWorkers } from '../core/pool-plan.js';
import type { Warden } from '../launch/warden.js';
import { NotStartedError } from '../ports/errors.js';
import type { LaunchedProcess, Launcher, Place } from '../ports/launch.js';
import type { Furnished, Inspection, Runtime } from '../ports/runtime.js';
import { PooledWorker } from './pooled-worker.js';
import type { Scratch } from './scratch.js';

export interface PoolOptions {
  readonly runtime: Runtime;
  readonly launcher: Launcher;
  readonly warden: Warden;
  readonly scratch: Scratch;
  readonly clock: Clock;
  readonly newId: () => string;
  readonly slots: number;
  readonly memoryBytes: number;
  /** Told when a worker cannot be started. */
  readonly onFault: (error: unknown) => void;
}

/** Which job a worker is for. */
export interface Binding {
  readonly job: string;
  readonly generation: number;
}

/** Pause after a worker could not be started (ms). */
const restartPauseMs = 1_000;
const inspectMs = 20_000;
const sweepMs = 1_000;

/** Keeps fresh workers ready, so that a job's first part does not wait for an interpreter; a worker that has seen one job never sees another. */
export class WorkerPool {
  readonly #all = new Set<PooledWorker>();
  readonly #idle = new Set<PooledWorker>();
  #starting = 0;
  #closed = false;
  #paused = false;
  readonly #launching = new Set<Promise<unknown>>();
  readonly #cancels: Cancel[] = [];

  constructor(private readonly options: PoolOptions) {}

  /** Starts the first workers; resolves when one is ready. */
  async open(): Promise<void> {
    await this.options.scratch.open();
    const first = await this.#launch();
    this.#rest(first);
    this.#replenish();
    this.#cancels.push(this.options.clock.every(sweepMs, () => this.#sweep()));
  }

  /** Worker processes alive. */
  get size(): number {
    return this.#all.size;
  }

  /** A worker for the job: its own one used last, a fresh one, or a new one. Give it back by {@link release}, or end it. */
  async acquire(binding: Binding): Promise<PooledWorker> {
    const name = `${binding.job}/${binding.generation}`;
    const worker = this.#pick(name) ?? (await this.#launch());
    worker.binding = name;
    worker.job = binding.job;
    worker.generation = binding.generation;
    this.#replenish();
    return worker;
  }

  /** The worker waits for the next part of its job. */
  release(worker: PooledWorker): void {
    if (!worker.alive || this.#closed) return worker.kill();
    this.#rest(worker);
    this.#sweep();
  }

  /** Parses a script in a fresh worker, which stays fresh: nothing of the script was run. @throws WorkerGoneError. */
  async inspect(filename: string, text: string): Promise<Inspection> {
    const worker = this.#pick('') ?? (await this.#launch());
    const stop = this.options.clock.timer(inspectMs, () => worker.kill());
    try {
      return await worker.runtime.inspect(filename, text);
    } finally {
      stop();
      if (worker.alive) this.#rest(worker);
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
    for (const cancel of this.#cancels) cancel();
    await Promise.allSettled(this.#launching);
    const workers = [...this.#all];
    for (const worker of workers) worker.kill();
    await Promise.all(workers.map(({ gone }) => gone));
  }

  #pick(binding: string): PooledWorker | undefined {
    const worker = pickWorker(this.#idleList(), binding);
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
    for (const worker of surplusWorkers(this.#idleList(), this.options.slots, this.options.clock.monotonic())) {
      this.#idle.delete(worker);
      worker.kill();
    }
  }

  #replenish(): void {
    if (this.#closed || this.#paused) return;
    const fresh = [...this.#idle].filter(({ binding }) => binding === undefined).length;
    const wanted = freshWanted(this.options.slots, fresh, this.#starting);
    for (let n = 0; n < wanted; n += 1) void this.#startAhead();
  }

  async #startAhead(): Promise<void> {
    this.#starting += 1;
    try {
      const worker = await this.#launch();
      if (this.#closed || !worker.alive) worker.kill();
      else this.#rest(worker);
    } catch (error) {
      this.#pause(error);
    } finally {
      this.#starting -= 1;
    }
  }

  #pause(error: unknown): void {
    if (this.#closed || this.#paused) return;
    this.#paused = true;
    this.options.onFault(error);
    this.options.clock.timer(restartPauseMs, () => {
      this.#paused = false;
      this.#replenish();
    });
  }

  #launch(): Promise<PooledWorker> {
    const launching = this.#launchOne();
    this.#launching.add(launching);
    const forget = (): void => void this.#launching.delete(launching);
    launching.then(forget, forget);
    return launching;
  }

  async #launchOne(): Promise<PooledWorker> {
    const uid = await this.options.warden.claim();
    try {
      return await this.#startAs(uid);
    } catch (error) {
      if (error instanceof NotStartedError && uid !== null) this.options.warden.release(uid);
      throw error;
    }
  }

  async #startAs(uid: number | null): Promise<PooledWorker> {
    const { runtime, launcher, warden, scratch, clock, newId, memoryBytes } = this.options;
    const mark = newId();
    const place: Place = {
      folder: await scratch.folder(mark, uid),
      mark,
      memoryBytes,
      account: uid === null ? undefined : { uid, gid: uid },
    };
    const furnished = await runtime.furnish(place);
    const process = await launcher.launch(runtime.command(place), place);
    if (process.pid === 0) return await this.#notStarted(process, place, furnished);
    warden.watch({ pid: process.pid, uid, folder: place.folder, mark });
    const gone = process.exited.then(async (exit) => {
      await warden.end(process.pid);
      await furnished.close();
      await scratch.remove(place.folder);
      return exit;
    });
    const worker = new PooledWorker(process, runtime.attach(process, place, furnished), gone, clock);
    this.#all.add(worker);
    void process.exited.then(() => this.#lost(worker));
    void gone.then(() => this.#all.delete(worker));
    await worker.runtime.ready;
    return worker;
  }

  async #notStarted(process: LaunchedProcess, place: Place, furnished: Furnished): Promise<never> {
    const { signal } = await process.exited;
    await furnished.close();
    await this.options.scratch.remove(place.folder);
    throw new NotStartedError(signal ?? 'unknown');
  }

  #lost(worker: PooledWorker): void {
    if (this.#idle.delete(worker)) this.#replenish();
  }
}
