import {
  type AttemptFinished,
  type BodyOf,
  type HeldAttempt,
  type JobSpec,
  type ReplyOf,
  type RequestOf,
  type assignParts,
  attemptFinished,
  currentTerm,
  type dropAttempts,
  type jobEnded,
} from '@das/contracts';
import {
  type Attempt,
  type AttemptKey,
  type ExecutorEffect,
  type ExecutorEvent,
  type ExecutorState,
  type Verdict,
  countIn,
  newExecutor,
  step,
} from '@das/execution';
import { messageOf } from '@das/kernel';
import { type ServiceContext, withSpan } from '@das/platform';
import { AttemptRun, type AttemptTools } from './attempt-run.js';
import { RefusedError } from './output.js';
import { saysJobEnded } from './refusals.js';
import { StoppedError } from './store-client.js';
import type { TermFile } from './term-file.js';

/** Ends that were told lately, to be told again when a leader asks for what is over. */
const endsKept = 1_024;
/** Attempts that wait for a slot and already have their first page of items (1 MiB at most each). */
const preparedMax = 16;
/** A leader keeps so much of why an attempt was given back (characters). */
const whyCharsMax = 200;
/** A store that answers with a lower term than was seen is asked about at most this often (ms). */
const termReadMs = 2_000;

type Told = Omit<AttemptFinished, 'attempt' | 'kind' | 'node'>;
const nothing = { items: 0, busyMs: 0, children: [], failed: [] };

/** Drives the executor's decisions: takes events in one after the other and performs what follows. */
export class ExecutorShell {
  #state: ExecutorState;
  readonly #runs = new Map<AttemptKey, AttemptRun>();
  readonly #ends = new Map<AttemptKey, AttemptFinished>();
  readonly #busy = new Set<Promise<void>>();
  #termAskedMs = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly context: ServiceContext,
    private readonly tools: AttemptTools,
    private readonly terms: TermFile,
    slots: number,
  ) {
    this.#state = newExecutor(slots, terms.read());
  }

  get state(): ExecutorState {
    return this.#state;
  }

  assign({ act, spec, assignments }: RequestOf<typeof assignParts>): ReplyOf<typeof assignParts> {
    const outcome = this.#handle({ kind: 'assigned', term: act.term, assignments }, spec);
    return { outcome, highestTerm: this.#state.highestTerm };
  }

  drop({ act, attempts }: RequestOf<typeof dropAttempts>): ReplyOf<typeof dropAttempts> {
    const verdict = this.#handle({ kind: 'dropped', term: act.term, attempts });
    return { outcome: verdict === 'staleTerm' ? 'staleTerm' : 'dropped', highestTerm: this.#state.highestTerm };
  }

  jobEnded({ job, belowGeneration }: BodyOf<typeof jobEnded>): void {
    this.#handle({ kind: 'jobEnded', job, belowGeneration });
    this.tools.pool.endJob(job, belowGeneration);
  }

  heldOutput(full: boolean): void {
    this.#handle({ kind: 'heldOutput', full });
  }

  /** What the node holds, for heartbeats. */
  held(): HeldAttempt[] {
    return [...this.#state.attempts.values()].map(({ key, state, assignment }) => {
      const { job, generation, part, attempt } = assignment;
      const { items, runningMs } = this.#runs.get(key)?.progress() ?? { items: 0, runningMs: 0 };
      const phase = state === 'queued' || state === 'running' ? state : 'holding';
      return { job, generation, part, attempt, phase, items, runningMs };
    });
  }

  /** Takes nothing new; what waits goes back. */
  drain(): void {
    this.#handle({ kind: 'draining' });
  }

  /** Resolves when nothing runs or is held any more. */
  async idle(): Promise<void> {
    while (this.#busy.size > 0) await Promise.allSettled(this.#busy);
  }

  /** Gives back what is still open. Resolves when its workers are gone. */
  async giveAllBack(why: string): Promise<void> {
    const open = [...this.#state.attempts.values()];
    await Promise.allSettled(open.map((attempt) => this.#giveBack(attempt, why)));
    await this.idle();
  }

  async #giveBack({ key, assignment }: Attempt, why: string): Promise<void> {
    const run = this.#runs.get(key);
    this.#handle({ kind: 'givenBack', key });
    this.#runs.delete(key);
    await run?.stop();
    this.#tell(key, assignment, { ...nothing, outcome: 'abandoned', why });
  }

  #handle(event: ExecutorEvent, spec?: JobSpec): Verdict {
    const { state, effects, verdict } = step(this.#state, event);
    this.#state = state;
    for (const effect of effects) this.#perform(effect, spec);
    if (verdict === 'staleTerm') this.#readTerm();
    return verdict;
  }

  #perform(effect: ExecutorEffect, spec: JobSpec | undefined): void {
    switch (effect.kind) {
      case 'prepare':
        return this.#prepare(effect.attempt, spec);
      case 'start':
        return this.#start(effect.attempt);
      case 'stop':
        return this.#stop(effect.attempt);
      case 'refuse':
        this.#stop(effect.attempt);
        return this.#tell(effect.attempt.key, effect.attempt.assignment, {
          ...nothing,
          outcome: 'abandoned',
          why: 'the node is draining',
        });
      case 'repeatEnd':
        return this.#repeatEnd(effect.key);
      case 'keepTerm':
        return this.#keepTerm(effect.term);
    }
  }

  #prepare({ key, assignment }: Attempt, spec: JobSpec | undefined): void {
    if (spec === undefined) return;
    const run = new AttemptRun(this.tools, spec, assignment);
    this.#runs.set(key, run);
    if (countIn(this.#state, 'queued') <= preparedMax) run.prepare();
  }

  #start(attempt: Attempt): void {
    const run = this.#runs.get(attempt.key);
    if (run === undefined) return;
    const running = this.#traced(attempt, run);
    this.#busy.add(running);
    void running.finally(() => this.#busy.delete(running));
  }

  #stop({ key }: Attempt): void {
    const run = this.#runs.get(key);
    this.#runs.delete(key);
    run?.stop().catch((error: unknown) => this.context.log.error({ err: error }, 'a worker could not be ended'));
  }

  #traced(attempt: Attempt, run: AttemptRun): Promise<void> {
    const { job, part, attempt: number } = attempt.assignment;
    const attributes = { 'das.job': job, 'das.part': part, 'das.attempt': number };
    return withSpan('attempt', { traceparent: run.spec.traceparent, attributes }, () => this.#live(attempt, run));
  }

  /** An attempt's life; whatever goes wrong becomes a word to the leader. */
  async #live({ key, assignment }: Attempt, run: AttemptRun): Promise<void> {
    try {
      const ran = await run.run();
      // The slot is free while the store judges.
      this.#handle({ kind: 'ran', key });
      const { commit, reply } = await run.commit(ran);
      const { fatal, sealed, busyMs } = commit.request;
      const told: Told = {
        ...{ outcome: reply.outcome, items: commit.items, busyMs },
        ...{ children: reply.children, failed: reply.failed },
        // An earlier life of the attempt may have committed something else: then the store names no failure, and ours counts for nothing.
        ...(fatal !== undefined && reply.failed.length > 0 ? { fatal } : {}),
        ...(sealed === undefined ? {} : { sealed }),
      };
      this.#end(key, assignment, 'settled', told);
    } catch (error) {
      this.#broke(key, assignment, run, error);
    }
  }

  #broke(key: AttemptKey, assignment: Attempt['assignment'], run: AttemptRun, error: unknown): void {
    void run.stop();
    if (error instanceof StoppedError || !this.#runs.has(key)) return;
    if (error instanceof RefusedError) {
      return this.#end(key, assignment, 'givenBack', { ...nothing, outcome: error.outcome });
    }
    const { job, part, attempt } = assignment;
    this.context.log.warn({ job, part, attempt, err: error }, `attempt given back: ${messageOf(error)}`);
    this.#end(key, assignment, 'givenBack', {
      ...nothing,
      outcome: saysJobEnded(error) ? 'jobEnded' : 'abandoned',
      why: messageOf(error),
    });
  }

  #end(key: AttemptKey, assignment: Attempt['assignment'], kind: 'settled' | 'givenBack', told: Told): void {
    if (!this.#runs.delete(key)) return;
    this.#tell(key, assignment, told);
    this.#handle({ kind, key });
  }

  #tell(key: AttemptKey, { job, generation, part, attempt, kind }: Attempt['assignment'], told: Told): void {
    const why = told.why === undefined ? {} : { why: told.why.slice(0, whyCharsMax) };
    const finished = { attempt: { job, generation, part, attempt }, kind, node: this.context.node, ...told, ...why };
    this.#ends.set(key, finished);
    for (const oldest of this.#ends.keys()) {
      if (this.#ends.size <= endsKept) break;
      this.#ends.delete(oldest);
    }
    this.context.bus.tell(attemptFinished, finished);
  }

  #repeatEnd(key: AttemptKey): void {
    const finished = this.#ends.get(key);
    if (finished !== undefined) this.context.bus.tell(attemptFinished, finished);
  }

  #keepTerm(term: number): void {
    try {
      this.terms.write(term);
    } catch (error) {
      this.context.log.warn({ term, err: error }, `the highest term could not be kept: ${messageOf(error)}`);
    }
  }

  /** A refused leader may be old, or the store new: then terms start again. */
  #readTerm(): void {
    const now = this.context.clock.monotonic();
    if (now - this.#termAskedMs < termReadMs) return;
    this.#termAskedMs = now;
    const { highestTerm } = this.#state;
    this.context.bus.call(currentTerm, {}).then(
      ({ body }) => void this.#handle({ kind: 'termRead', term: body.term, highestTerm }),
      () => undefined,
    );
  }
}
