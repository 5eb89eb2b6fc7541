import type {
  Assignment,
  BodyOf,
  HeldAttempt,
  JobSpec,
  ReplyOf,
  RequestOf,
  assignParts,
  dropAttempts,
  jobEnded,
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
import { AttemptRun } from './attempt-run.js';
import type { AttemptTools } from './attempt-tools.js';
import { type Told, nothingDone, toldOf } from './commit.js';
import { Ends } from './ends.js';
import { RefusedError } from './output.js';
import type { OutputSpool } from './output-spool.js';
import { saysJobEnded, unfitOf } from './refusals.js';
import { StoppedError } from './store-client.js';
import type { Terms } from './terms.js';

/** Attempts that wait for a slot and already have their first page of items (1 MiB at most each). */
const preparedMax = 16;

/** Drives the executor's decisions: takes events in one after the other and performs what follows. */
export class ExecutorShell {
  #state: ExecutorState;
  readonly #runs = new Map<AttemptKey, AttemptRun>();
  readonly #ends: Ends;
  readonly #busy = new Set<Promise<void>>();

  /** `kept`: what an earlier life of this service left in the spool. */
  constructor(
    private readonly context: ServiceContext,
    private readonly tools: AttemptTools,
    private readonly terms: Terms,
    private readonly spool: OutputSpool,
    slots: number,
    kept: readonly Assignment[],
  ) {
    this.#ends = new Ends(context);
    this.#state = newExecutor(slots, terms.read());
    this.#handle({ kind: 'restored', assignments: kept });
    spool.start({
      handedOver: (key) => this.#handedOver(key),
      ended: (key, assignment, kind, told) => this.#settle(key, assignment, kind, told),
    });
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

  jobEnded({ job, belowGeneration, state }: BodyOf<typeof jobEnded>): void {
    this.#handle({ kind: 'jobEnded', job, belowGeneration, succeeded: state === 'succeeded' });
    this.tools.pools.endJob(job, belowGeneration);
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

  /** Gives back what is still open and not on disk. Resolves when its workers are gone. */
  async giveAllBack(why: string): Promise<void> {
    const open = [...this.#state.attempts.values()];
    await Promise.allSettled(open.map((attempt) => this.#giveBack(attempt, why)));
    await this.idle();
  }

  /** What is done already is kept for the next life, if the disk takes it. */
  async #giveBack({ key, assignment }: Attempt, why: string): Promise<void> {
    const run = this.#runs.get(key);
    if (run === undefined && this.spool.has(key)) return;
    const held = run?.held;
    if (held !== undefined && (await this.spool.secure(key, held))) return;
    this.#handle({ kind: 'givenBack', key });
    this.#runs.delete(key);
    this.spool.over(key);
    await run?.stop();
    this.#ends.tell(key, assignment, { ...nothingDone, outcome: 'abandoned', why });
  }

  #handle(event: ExecutorEvent, spec?: JobSpec): Verdict {
    const { state, effects, verdict } = step(this.#state, event);
    this.#state = state;
    for (const effect of effects) this.#perform(effect, spec);
    if (verdict === 'staleTerm') this.#askTerm();
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
        return this.#ends.tell(effect.attempt.key, effect.attempt.assignment, {
          ...nothingDone,
          outcome: 'abandoned',
          why: 'the node is draining',
        });
      case 'repeatEnd':
        return this.#ends.repeat(effect.key);
      case 'keepTerm':
        return this.terms.keep(effect.term);
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
    this.spool.over(key);
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
      const judged = await run.commit(ran, (held) => this.spool.offer(key, held));
      this.#end(key, assignment, 'settled', toldOf(judged));
    } catch (error) {
      this.#broke(key, assignment, run, error);
    }
  }

  #broke(key: AttemptKey, assignment: Assignment, run: AttemptRun, error: unknown): void {
    void run.stop();
    if (error instanceof StoppedError || !this.#runs.has(key)) return;
    if (error instanceof RefusedError) {
      return this.#end(key, assignment, 'givenBack', { ...nothingDone, outcome: error.outcome });
    }
    const { job, part, attempt } = assignment;
    this.context.log.warn({ job, part, attempt, err: error }, `attempt given back: ${messageOf(error)}`);
    this.#end(key, assignment, 'givenBack', {
      ...nothingDone,
      outcome: saysJobEnded(error) ? 'jobEnded' : 'abandoned',
      why: messageOf(error),
      ...unfitOf(error),
    });
  }

  /** Of an attempt that memory has; the spool tells the end of others. */
  #end(key: AttemptKey, assignment: Assignment, kind: 'settled' | 'givenBack', told: Told): void {
    if (!this.#runs.delete(key)) return;
    this.spool.over(key);
    this.#settle(key, assignment, kind, told);
  }

  #settle(key: AttemptKey, assignment: Assignment, kind: 'settled' | 'givenBack', told: Told): void {
    this.#ends.tell(key, assignment, told);
    this.#handle({ kind, key });
  }

  /** What asked from memory until now ends without a word. */
  #handedOver(key: AttemptKey): void {
    const run = this.#runs.get(key);
    this.#runs.delete(key);
    void run?.stop();
  }

  #askTerm(): void {
    const { highestTerm } = this.#state;
    this.terms.ask((term) => void this.#handle({ kind: 'termRead', term, highestTerm }));
  }
}
