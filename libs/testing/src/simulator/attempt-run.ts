import type { Assignment, CommitReply, CommitRequest, Failure, JobSpec } from '@das/contracts';
import { Fault } from '@das/contracts';
import { type Attempt, type PartOutcome, itemsDone } from '@das/execution';
import type { Rng } from '@das/kernel';
import type { Executor } from './executor.js';
import { MapWork } from './map-work.js';
import { SplitWork } from './split-work.js';
import { StepWork } from './step-work.js';
import type { Ask, OperationName, Outcome, SimStore } from './store.js';
import type { Weakening } from './weakening.js';
import type { JobPlan } from './workload.js';

export interface RunOwner {
  readonly store: SimStore;
  readonly rng: Rng;
  readonly weaken: Weakening;
  planOf(spec: JobSpec): JobPlan;
  say(text: () => string): void;
  /** Names one life of an attempt. */
  nextRun(): string;
}

/** Output with its bytes, as the real rows give it. */
export interface Output {
  readonly rows: CommitRequest['rows'];
  readonly raw: Uint8Array;
}
export const noOutput: Output = { rows: [], raw: new Uint8Array() };

/** How a worker's work ended: with an outcome, or refused by the store. */
export interface Worked {
  readonly outcome: PartOutcome;
  readonly output: Output;
  readonly sealed?: { readonly items: number };
}
export interface Work {
  start(): void;
  /** The worker process dies. */
  crash(): void;
  progress(): number;
}

/** Pauses of who asks the store until it answers (ms). */
const firstPauseMs = 50;
const longestPauseMs = 2_000;
const callOptions = { timeoutMs: 10_000, tryMs: 2_000 };

/** One attempt: a simulated worker, and the asking of the store until it answers, as the service does it. */
export class AttemptRun {
  stopped = false;
  readonly plan: JobPlan;
  readonly run: string;
  readonly assignment: Assignment;
  #startedMs: number | undefined;
  #work: Work | undefined;
  #ran = false;

  constructor(
    readonly owner: RunOwner,
    readonly executor: Executor,
    readonly spec: JobSpec,
    private readonly attempt: Attempt,
  ) {
    this.plan = owner.planOf(spec);
    this.run = owner.nextRun();
    this.assignment = attempt.assignment;
  }

  start(): void {
    this.#startedMs = this.executor.process.mono();
    const { kind } = this.assignment;
    this.#work = kind === 'map' ? new MapWork(this) : kind === 'split' ? new SplitWork(this) : new StepWork(this);
    this.#work.start();
  }

  stop(): void {
    this.stopped = true;
  }
  crash(): void {
    if (!this.stopped) this.#work?.crash();
  }
  progress(): { items: number; runningMs: number } {
    if (this.#startedMs === undefined) return { items: 0, runningMs: 0 };
    const items = this.assignment.kind === 'map' ? (this.#work?.progress() ?? 0) : 0;
    return { items, runningMs: this.#busyMs() };
  }

  /** Goes on in this life of the attempt only. */
  after(ms: number, run: () => void): void {
    this.executor.process.after(ms, () => {
      if (!this.stopped) run();
    });
  }

  /** Asks until there is an answer. A job that is gone ends the attempt; other refusals fail the part, as they would for whoever asks. */
  ask<K extends OperationName>(
    op: K,
    request: Ask<K>,
    done: (answer: Exclude<Outcome<K>, Fault | undefined>) => void,
    raw?: Uint8Array,
    pauseMs = firstPauseMs,
  ): void {
    if (this.stopped) return;
    this.owner.store.ask(
      this.executor.process,
      op,
      request,
      (outcome) => {
        if (this.stopped) return;
        if (outcome instanceof Fault) return this.#refused(outcome);
        if (outcome !== undefined) return done(outcome);
        if (this.owner.weaken.commitOnce === true && op === 'commitPart') return this.givesBack('abandoned');
        this.after(pauseMs, () => this.ask(op, request, done, raw, Math.min(pauseMs * 2, longestPauseMs)));
      },
      raw === undefined ? callOptions : { ...callOptions, raw },
    );
  }

  /** The worker is done: output that goes ahead is sent, then the commit. */
  worked({ outcome, output, sealed }: Worked): void {
    this.#workerIsDone();
    const request: CommitRequest = {
      ...{ attempt: this.ref(), node: this.executor.process.name, run: this.run, rows: [] },
      ...{ done: [...outcome.done], failures: [...outcome.failures], unfinished: [...outcome.unfinished] },
      busyMs: this.#busyMs(),
      ...(sealed === undefined ? {} : { sealed }),
      ...(this.assignment.last === true ? { last: true } : {}),
    };
    const items = itemsDone(outcome);
    if (!this.plan.staged || output.rows.length === 0)
      return this.#commit({ ...request, rows: output.rows }, output.raw, items);
    this.ask(
      'stageOutput',
      { attempt: this.ref(), run: this.run, rows: output.rows },
      ({ reply }) => {
        if (reply.outcome !== 'staged') return this.givesBack(reply.outcome);
        this.#commit(request, noOutput.raw, items);
      },
      output.raw,
    );
  }

  /** Nobody could go on with the part. */
  fails(fatal: Failure): void {
    this.#workerIsDone();
    const { name: node } = this.executor.process;
    const nothing = { rows: [], done: [], failures: [], unfinished: [], busyMs: 0 };
    this.#commit({ attempt: this.ref(), node, run: this.run, ...nothing, fatal }, noOutput.raw, 0);
  }

  givesBack(outcome: 'abandoned' | 'staleAttempt' | 'jobEnded'): void {
    this.stop();
    this.executor.end(this.attempt.key, this.assignment, 'givenBack', { outcome });
  }

  ref(): CommitRequest['attempt'] {
    const { job, generation, part, attempt } = this.assignment;
    return { job, generation, part, attempt };
  }

  #workerIsDone(): void {
    if (!this.#ran) this.executor.ran(this.attempt.key);
    this.#ran = true;
  }

  #commit(request: CommitRequest, raw: Uint8Array, items: number): void {
    this.ask('commitPart', request, ({ reply }) => this.#judged(request, reply, items), raw);
  }

  #judged(
    { fatal, sealed, busyMs }: CommitRequest,
    { outcome, children, failed, ended }: CommitReply,
    items: number,
  ): void {
    this.stop();
    this.executor.end(this.attempt.key, this.assignment, 'settled', {
      ...{ outcome, children, failed, items, busyMs },
      // An earlier life of the attempt may have committed something else: then the store names no failure.
      ...(fatal !== undefined && failed.length > 0 ? { fatal } : {}),
      ...(sealed === undefined ? {} : { sealed }),
      ...(ended === true ? { ended } : {}),
    });
  }

  #refused(fault: Fault): void {
    if (fault.code === 'JOB_NOT_FOUND') return this.givesBack('jobEnded');
    this.fails({ code: fault.code, message: fault.message });
  }

  #busyMs(): number {
    return Math.max(0, this.executor.process.mono() - (this.#startedMs ?? this.executor.process.mono()));
  }
}
