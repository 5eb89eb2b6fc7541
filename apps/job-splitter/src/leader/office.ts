import { advanceJob, assignParts, dropAttempts, saveActs, type Act } from '@das/contracts';
import { messageOf, type JobId, type NodeId } from '@das/kernel';
import {
  apply,
  mustSave,
  plan,
  takeOffice,
  takeProgress,
  type Advance,
  type AssignerConfig,
  type AssignerEvent,
  type AssignerState,
  type Plan,
  type Send,
} from '@das/jobs';
import { withSpan, type ServiceContext } from '@das/platform';
import { JobLoader, type LoadedJob } from './job-loader.js';

/** Pause before the state is built anew after the store failed (ms). */
const resetPauseMs = 500;
/** How often the store is asked for what messages may have lost (ms): DESIGN §4.1. */
export const pollMs = 2_000;
/** A save is repeated with the same id for this long before the state is dropped (ms). */
const saveTimeoutMs = 5_000;

/**
 * One term of leadership: drives the assigner core. Events pass one queue, so the effects of two never interleave; saves come before
 * sends; replies come back as events. A failed save drops the state, and the store's is loaded anew.
 */
export class Office {
  #state: AssignerState;
  #queue: AssignerEvent[] = [];
  #running = false;
  #closed = false;
  #actSeq = 0;
  #polling = false;
  /** Counts resets: what was asked before one is not taken in after it. */
  #life = 0;
  readonly #loader: JobLoader;

  constructor(
    private readonly context: ServiceContext,
    readonly term: number,
    private readonly config: AssignerConfig,
    private readonly mayAct: () => boolean,
    private readonly onStaleTerm: (current: number) => void,
  ) {
    this.#loader = new JobLoader(context.bus);
    this.#state = this.#freshState();
  }

  /** Loads all unfinished jobs, then decides. */
  start(): void {
    void this.poll();
  }

  close(): void {
    this.#closed = true;
    this.#queue = [];
  }

  /** Takes an event in; decisions follow as soon as the batch before is saved. */
  push(event: AssignerEvent): void {
    if (this.#closed) return;
    this.#queue.push(event);
    void this.#run();
  }

  /** Asks the store for every unfinished job: finds what a lost message would have told. */
  async poll(): Promise<void> {
    if (this.#polling) return;
    this.#polling = true;
    const life = this.#life;
    try {
      const jobs = await this.#loader.all();
      const listed = new Set(jobs.map(({ record }) => record.spec.job));
      this.#loader.keepOnly(listed);
      const missing = [...this.#state.jobs.keys()].filter((job) => !listed.has(job));
      for (const job of jobs) await this.#takeIn(job, life);
      for (const job of missing) await this.#load(job, life);
      if (life === this.#life) this.push({ kind: 'allLoaded' });
    } catch (error) {
      this.context.log.warn({ error: messageOf(error) }, 'leader: cannot read the jobs; will ask again');
    } finally {
      this.#polling = false;
    }
  }

  publishProgress(): void {
    for (const event of takeProgress(this.#state, this.context.clock.now())) this.#publish(event);
  }

  #freshState(): AssignerState {
    return takeOffice(this.term, this.context.node, this.config, this.context.clock.monotonic());
  }

  async #run(): Promise<void> {
    if (this.#running) return;
    this.#running = true;
    try {
      while (this.#queue.length > 0 && !this.#closed && this.mayAct()) await this.#turn();
    } catch (error) {
      this.context.log.error({ error: messageOf(error) }, 'leader: the state is dropped and loaded anew');
      this.#reset();
    } finally {
      this.#running = false;
    }
  }

  async #turn(): Promise<void> {
    for (const event of this.#queue.splice(0)) apply(this.#state, event, this.context.clock.monotonic());
    const planned = plan(this.#state, this.context.clock.monotonic());
    const stale = await this.#save(planned);
    if (stale === undefined) return;
    for (const send of planned.sends) if (!stale.has(send.spec.job)) void this.#send(send);
    for (const drop of planned.drops) void this.#drop(drop.node, drop.attempts);
    for (const advance of planned.advances) if (!stale.has(advance.job)) void this.#advance(advance);
    for (const job of planned.loads) void this.#load(job, this.#life);
    for (const { job, message } of planned.notes) {
      this.#publish({ event: 'note', job, at: this.context.clock.now(), message });
    }
  }

  #act(): Act {
    this.#actSeq += 1;
    return { term: this.term, leader: this.context.node, actSeq: this.#actSeq };
  }

  /** The jobs whose decisions no longer applied; `undefined`: this term is over. */
  async #save(planned: Plan): Promise<ReadonlySet<JobId> | undefined> {
    if (!mustSave(planned)) return new Set();
    const { parts, cuts, attempts, ended } = planned;
    const request = { act: this.#act(), parts, cuts, attempts, ended };
    const { body } = await this.context.bus.call(saveActs, request, { timeoutMs: saveTimeoutMs });
    if (body.outcome === 'staleTerm') {
      this.onStaleTerm(body.term);
      return undefined;
    }
    if (body.stale.length > 0) this.push({ kind: 'stale', jobs: body.stale });
    return new Set(body.stale);
  }

  /** A lost answer needs no care here: the node's next beat says what it holds. */
  async #send({ node, spec, assignments }: Send): Promise<void> {
    const options = { traceparent: spec.traceparent, attributes: { 'das.job': spec.job, 'das.node': node } };
    try {
      await withSpan('leader.assign', options, async () => {
        const request = { act: this.#act(), spec, assignments };
        const { body } = await this.context.bus.call(assignParts, request, { node, timeoutMs: 2_000 });
        if (body.outcome === 'staleTerm') this.onStaleTerm(body.highestTerm);
        if (body.outcome === 'draining') {
          this.push({ kind: 'refused', node, attempts: assignments, why: `${node} is draining` });
        }
      });
    } catch (error) {
      this.context.log.warn(
        { job: spec.job, to: node, error: messageOf(error) },
        'leader: an assignment was not answered',
      );
    }
  }

  async #drop(node: NodeId, attempts: Plan['drops'][number]['attempts']): Promise<void> {
    try {
      await this.context.bus.call(dropAttempts, { act: this.#act(), attempts: [...attempts] }, { node });
    } catch (error) {
      this.context.log.warn(
        { to: node, error: messageOf(error) },
        'leader: a drop was not answered; the next beats repeat it',
      );
    }
  }

  async #advance(advance: Advance): Promise<void> {
    const { job, generation, to, parts, failure, failed } = advance;
    const life = this.#life;
    try {
      const request = { act: this.#act(), job, generation, to, parts: [...parts], failure, failed };
      const { body } = await this.context.bus.call(advanceJob, request, { timeoutMs: saveTimeoutMs });
      if (body.outcome === 'staleTerm') return this.onStaleTerm(this.term + 1);
      if (life === this.#life) this.push({ kind: 'advanced', job, outcome: body.outcome, record: body.job, parts });
    } catch (error) {
      this.context.log.warn({ job, error: messageOf(error) }, 'leader: could not move the job on; will read it again');
      if (life === this.#life) this.push({ kind: 'advanced', job, outcome: 'partsOpen', parts: [] });
    }
  }

  async #load(job: JobId, life: number): Promise<void> {
    try {
      const loaded = await this.#loader.one(job);
      if (loaded !== undefined) return await this.#takeIn(loaded, life);
      if (life === this.#life) this.push({ kind: 'jobGone', job });
    } catch (error) {
      this.context.log.warn({ job, error: messageOf(error) }, 'leader: cannot read the job; the next poll will');
    }
  }

  async #takeIn(loaded: LoadedJob, life: number): Promise<void> {
    const { record, counts } = loaded;
    const job = record.spec.job;
    if (record.state === 'submitted') return;
    const known = this.#state.jobs.get(job);
    const fresh = known === undefined || known.reload !== undefined || known.record.generation < record.generation;
    const parts = fresh && record.finishedAt === undefined ? await this.#loader.parts(loaded) : undefined;
    const bytesPerItem = record.finishedAt === undefined ? await this.#loader.bytesPerItem(record) : 0;
    if (life === this.#life) this.push({ kind: 'jobLoaded', record, counts, parts, bytesPerItem });
  }

  #reset(): void {
    this.#life += 1;
    this.#queue = [];
    this.#state = this.#freshState();
    this.context.clock.timer(resetPauseMs, () => {
      if (!this.#closed) void this.poll();
    });
  }

  #publish(event: Parameters<ServiceContext['events']['append']>[0]): void {
    this.context.events.append(event).catch((error: unknown) => {
      this.context.log.debug({ error: messageOf(error) }, 'leader: an event was not kept');
    });
  }
}
