import type {
  Assignment,
  AttemptFinished,
  BodyOf,
  ExecutorBeat,
  HeldAttempt,
  JobSpec,
  ReplyOf,
  RequestOf,
  assignParts,
  dropAttempts,
  jobEnded,
} from '@das/contracts';
import { Fault } from '@das/contracts';
import {
  type Attempt,
  type AttemptKey,
  type ExecutorEffect,
  type ExecutorEvent,
  type ExecutorState,
  type Verdict,
  newExecutor,
} from '@das/execution';
import { assertNever } from '@das/kernel';
import { AttemptRun, type RunOwner } from './attempt-run.js';
import type { Process } from './machine.js';
import type { ExecutorStep } from './weakening.js';

export interface ExecutorOwner extends RunOwner {
  readonly executorStep: ExecutorStep;
  finished(executor: Executor, finished: AttemptFinished): void;
  beat(executor: Executor, beat: ExecutorBeat): void;
  /** An act of a leader was taken. */
  obeyed(executor: Executor, term: number, assignments: readonly Assignment[]): void;
  started(executor: Executor, attempt: AttemptKey): void;
  keepTerm(executor: Executor, term: number): void;
  fail(text: string): never;
}

const beatMs = 1_000;
/** Ends that are kept to be told again. */
const endsKept = 1_024;
const termReadMs = 2_000;
/** What runs may go on for so long after the service is told to stop (ms). */
export const drainMs = 2_000;

/** What an attempt's end says beyond its name. */
export type Told = Pick<AttemptFinished, 'outcome'> & Partial<AttemptFinished>;

/** The executor of one machine: performs what its core decides, as the service's shell does. */
export class Executor {
  state: ExecutorState;
  readonly runs = new Map<AttemptKey, AttemptRun>();
  readonly #ends = new Map<AttemptKey, AttemptFinished>();
  #termHeard = 0;
  #termAskedMs = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly owner: ExecutorOwner,
    readonly process: Process,
    slots: number,
    highestTerm: number,
    private readonly epoch: string,
  ) {
    this.state = newExecutor(slots, highestTerm);
  }

  start(): void {
    this.#beat();
    this.process.every(beatMs, () => this.#beat());
  }

  assign({ act, spec, assignments }: RequestOf<typeof assignParts>): ReplyOf<typeof assignParts> {
    const outcome = this.#handle({ kind: 'assigned', term: act.term, assignments }, spec);
    if (outcome === 'accepted') this.owner.obeyed(this, act.term, assignments);
    return { outcome, highestTerm: this.state.highestTerm };
  }

  drop({ act, attempts }: RequestOf<typeof dropAttempts>): void {
    if (this.#handle({ kind: 'dropped', term: act.term, attempts }) === 'accepted')
      this.owner.obeyed(this, act.term, []);
  }

  jobEnded({ job, belowGeneration, state }: BodyOf<typeof jobEnded>): void {
    this.#handle({ kind: 'jobEnded', job, belowGeneration, succeeded: state === 'succeeded' });
  }

  heardTerm(term: number): void {
    if (term <= this.#termHeard) return;
    this.#termHeard = term;
    this.#beat();
  }

  /** SIGTERM: what waits goes back at once, what runs a little later. */
  drain(): void {
    this.#handle({ kind: 'draining' });
    this.#beat();
    this.process.after(drainMs, () => {
      for (const { key, assignment } of [...this.state.attempts.values()]) {
        this.runs.get(key)?.stop();
        this.end(key, assignment, 'givenBack', { outcome: 'abandoned', why: 'the node stops' });
      }
      this.#beat();
    });
  }

  /** The worker is done; the slot is free while the store judges. */
  ran(key: AttemptKey): void {
    this.#handle({ kind: 'ran', key });
  }

  /** The attempt is over here. */
  end(key: AttemptKey, assignment: Attempt['assignment'], kind: 'settled' | 'givenBack', told: Told): void {
    if (!this.runs.delete(key)) return;
    this.#tell(key, assignment, told);
    this.#handle({ kind, key });
  }

  #handle(event: ExecutorEvent, spec?: JobSpec): Verdict {
    const { state, effects, verdict } = this.owner.executorStep(this.state, event);
    this.state = state;
    for (const effect of effects) this.#perform(effect, spec);
    if (verdict === 'staleTerm') this.#readTerm();
    return verdict;
  }

  #perform(effect: ExecutorEffect, spec: JobSpec | undefined): void {
    switch (effect.kind) {
      case 'prepare':
        if (spec === undefined) return;
        this.runs.set(effect.attempt.key, new AttemptRun(this.owner, this, spec, effect.attempt));
        return;
      case 'start':
        this.owner.started(this, effect.attempt.key);
        return this.runs.get(effect.attempt.key)?.start();
      case 'stop':
        return this.#stop(effect.attempt.key);
      case 'refuse':
        this.#stop(effect.attempt.key);
        return this.#tell(effect.attempt.key, effect.attempt.assignment, { outcome: 'abandoned', why: 'it drains' });
      case 'repeatEnd':
        return this.#repeatEnd(effect.key);
      case 'keepTerm':
        return this.owner.keepTerm(this, effect.term);
      default:
        return assertNever(effect);
    }
  }

  #stop(key: AttemptKey): void {
    this.runs.get(key)?.stop();
    this.runs.delete(key);
  }

  #tell(key: AttemptKey, { job, generation, part, attempt, kind }: Attempt['assignment'], told: Told): void {
    if (told.outcome === 'abandoned' && !this.state.draining)
      this.owner.fail(`${this.process.name} gave ${key} back without need`);
    const nothing = { items: 0, busyMs: 0, children: [], failed: [] };
    const about = { attempt: { job, generation, part, attempt }, kind, node: this.process.name };
    const finished: AttemptFinished = { ...about, ...nothing, ...told };
    this.#ends.set(key, finished);
    for (const oldest of this.#ends.keys()) {
      if (this.#ends.size <= endsKept) break;
      this.#ends.delete(oldest);
    }
    this.owner.finished(this, finished);
  }

  #repeatEnd(key: AttemptKey): void {
    const finished = this.#ends.get(key);
    if (finished !== undefined) this.owner.finished(this, finished);
  }

  #beat(): void {
    const { slots, draining } = this.state;
    const { name: node } = this.process;
    const held = [...this.state.attempts.values()].map((attempt) => this.#held(attempt));
    this.owner.beat(this, { node, epoch: this.epoch, slots, draining, held, rssBytes: 0, workers: slots });
  }

  #held({ key, state, assignment }: Attempt): HeldAttempt {
    const { job, generation, part, attempt } = assignment;
    const { items, runningMs } = this.runs.get(key)?.progress() ?? { items: 0, runningMs: 0 };
    const phase = state === 'queued' || state === 'running' ? state : 'holding';
    return { job, generation, part, attempt, phase, items, runningMs };
  }

  #readTerm(): void {
    const now = this.process.mono();
    if (now - this.#termAskedMs < termReadMs) return;
    this.#termAskedMs = now;
    const { highestTerm } = this.state;
    this.owner.store.ask(this.process, 'currentTerm', {}, (outcome) => {
      if (outcome === undefined || outcome instanceof Fault) return;
      this.#handle({ kind: 'termRead', term: outcome.reply.term, highestTerm });
    });
  }
}
