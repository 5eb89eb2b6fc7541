import type { SimClock, VirtualTime } from '@das/election/sim';
import type { NodeId, Rng } from '@das/kernel';

interface Waiting {
  readonly process: Process;
  readonly run: () => void;
  readonly timer: boolean;
}

/** Timers are late by a hair: by the own clock the deadline has passed. */
const timerLateMs = 0.01;

/** A pause so long must be noticed by whoever judges others (ms). */
const longPauseMs = 1_700;

/** One machine: its clock, whether it runs, stands still or is slow, and the processes of its present life. */
export class Machine {
  up = false;
  paused = false;
  /** Whether its connection to the bus stands. */
  onBus = true;
  /** It is up, awake and on the bus since then (ms). */
  hearsSinceMs = 0;
  /** Whatever is to run on it comes up to this much later (ms). */
  slowMs = 0;
  #pausedAtMs = 0;
  #main: Process;
  #inbox: Waiting[] = [];
  readonly #processes = new Set<Process>();

  constructor(
    readonly name: NodeId,
    /** From 0. */
    readonly no: number,
    readonly clock: SimClock,
    private readonly time: VirtualTime,
    private readonly rng: Rng,
  ) {
    this.#main = new Process(this, time);
  }

  /** Its own monotonic time (ms). */
  mono(): number {
    return this.clock.mono(this.time.now);
  }

  start(): void {
    this.up = true;
    this.hearsSinceMs = this.time.now;
    this.#main = this.spawn();
  }

  /** A process of this life. */
  spawn(): Process {
    const process = new Process(this, this.time);
    this.#processes.add(process);
    return process;
  }

  /** SIGKILL of all there is. */
  kill(): void {
    this.up = false;
    this.paused = false;
    this.slowMs = 0;
    this.#inbox = [];
    for (const process of this.#processes) process.alive = false;
    this.#processes.clear();
  }

  end(process: Process): void {
    process.alive = false;
    this.#processes.delete(process);
  }

  /** Something arrived for whoever runs here then. */
  hear(run: () => void): void {
    if (this.up) this.#main.deliver(run);
  }

  pause(): void {
    this.paused = true;
    this.#pausedAtMs = this.time.now;
  }

  /** The worst order: its own timers before what others said meanwhile. */
  resume(): void {
    this.paused = false;
    if (this.time.now - this.#pausedAtMs > longPauseMs) this.hearsSinceMs = this.time.now;
    const inbox = this.#inbox;
    this.#inbox = [];
    for (const { process, run } of inbox.filter(({ timer }) => timer)) this.take(process, run, true);
    for (const { process, run } of inbox.filter(({ timer }) => !timer)) this.take(process, run, false);
  }

  take(process: Process, run: () => void, timer: boolean): void {
    if (!process.alive) return;
    if (this.paused) return void this.#inbox.push({ process, run, timer });
    if (this.slowMs === 0) return run();
    this.time.after(this.rng() * this.slowMs, () => {
      if (!process.alive) return;
      if (this.paused) this.#inbox.push({ process, run, timer });
      else run();
    });
  }
}

/** One life of one service. What is meant for it does not reach the next one. */
export class Process {
  alive = true;

  constructor(
    readonly machine: Machine,
    private readonly time: VirtualTime,
  ) {}

  get name(): NodeId {
    return this.machine.name;
  }
  mono(): number {
    return this.machine.mono();
  }

  deliver(run: () => void): void {
    this.machine.take(this, run, false);
  }

  /** `ms` by the machine's own clock. Never cancelled: what fires late must be harmless. */
  after(ms: number, run: () => void): void {
    if (!this.alive) return;
    const waitMs = this.machine.clock.worldMs(Math.max(0, ms)) + timerLateMs;
    this.time.after(waitMs, () => this.machine.take(this, run, true));
  }

  every(ms: number, run: () => void): void {
    this.after(ms, () => {
      run();
      this.every(ms, run);
    });
  }
}
