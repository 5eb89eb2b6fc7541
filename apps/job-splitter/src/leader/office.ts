import { advanceJob, assignParts, dropAttempts, saveActs } from '@das/contracts';
import { assertNever, messageOf } from '@das/kernel';
import {
  type AssignerConfig,
  type AssignerEvent,
  type OfficeEffect,
  type OfficeEvent,
  type OfficeState,
  officeStep,
  openOffice,
  saveTimeoutMs,
  takeProgress,
} from '@das/jobs';
import { withSpan, type ServiceContext } from '@das/platform';
import { JobLoader } from './job-loader.js';

type Of<K extends OfficeEffect['kind']> = Extract<OfficeEffect, { kind: K }>;

/** One term of leadership: performs what the office's core decides, and feeds the answers back. Decides nothing. */
export class Office {
  readonly #state: OfficeState;
  readonly #loader: JobLoader;

  constructor(
    private readonly context: ServiceContext,
    readonly term: number,
    config: AssignerConfig,
    trustedUntil: number,
    private readonly onOver: (current: number) => void,
  ) {
    this.#loader = new JobLoader(context.bus);
    this.#state = openOffice(term, context.node, config, trustedUntil, context.clock.monotonic());
  }

  close(): void {
    this.#step({ kind: 'closed' });
  }

  /** Takes an event in; decisions follow as soon as the batch before is saved. */
  push(event: AssignerEvent): void {
    this.#step({ kind: 'heard', event });
  }

  /** The leader may act until then (monotonic, ms). */
  trust(until: number): void {
    this.#step({ kind: 'trusted', until });
  }

  /** Asks the store for every unfinished job. The first time, it begins the work. */
  poll(): void {
    this.#step({ kind: 'poll' });
  }

  publishProgress(): void {
    for (const event of takeProgress(this.#state.assigner, this.context.clock.now())) this.#publish(event);
  }

  #step(event: OfficeEvent): void {
    try {
      this.#perform(officeStep(this.#state, event, this.context.clock.monotonic()));
    } catch (error) {
      this.context.log.error({ error: messageOf(error) }, 'leader: the state is dropped and loaded anew');
      this.#perform(officeStep(this.#state, { kind: 'broke' }, this.context.clock.monotonic()));
    }
  }

  #perform(effects: readonly OfficeEffect[]): void {
    for (const effect of effects) this.#do(effect);
  }

  #do(effect: OfficeEffect): void {
    switch (effect.kind) {
      case 'save':
        return void this.#save(effect);
      case 'send':
        return void this.#send(effect);
      case 'drop':
        return void this.#drop(effect);
      case 'advance':
        return void this.#advance(effect);
      case 'readJobs':
        return void this.#readJobs(effect);
      case 'readJob':
        return void this.#readJob(effect);
      case 'readParts':
        return void this.#readParts(effect);
      case 'note':
        return this.#note(effect);
      case 'wait':
        return void this.context.clock.timer(effect.ms, () => this.#step({ kind: 'waited', life: effect.life }));
      case 'over':
        return this.onOver(effect.current);
      default:
        return assertNever(effect);
    }
  }

  async #save({ request }: Of<'save'>): Promise<void> {
    const { actSeq } = request.act;
    const reply = await this.context.bus.call(saveActs, request, { timeoutMs: saveTimeoutMs }).then(
      ({ body }) => body,
      (error: unknown) => {
        this.context.log.error({ error: messageOf(error) }, 'leader: not saved; the state is dropped and loaded anew');
        return undefined;
      },
    );
    this.#step({ kind: 'saved', actSeq, reply });
  }

  async #send({ node, request }: Of<'send'>): Promise<void> {
    const { spec, assignments } = request;
    const options = { traceparent: spec.traceparent, attributes: { 'das.job': spec.job, 'das.node': node } };
    try {
      await withSpan('leader.assign', options, async () => {
        const { body } = await this.context.bus.call(assignParts, request, { node, timeoutMs: 2_000 });
        this.#step({ kind: 'sent', node, attempts: assignments, reply: body });
      });
    } catch (error) {
      const about = { job: spec.job, to: node, error: messageOf(error) };
      this.context.log.warn(about, 'leader: an assignment was not answered');
    }
  }

  async #drop({ node, request }: Of<'drop'>): Promise<void> {
    try {
      await this.context.bus.call(dropAttempts, request, { node });
    } catch (error) {
      const about = { to: node, error: messageOf(error) };
      this.context.log.warn(about, 'leader: a drop was not answered; the next beats repeat it');
    }
  }

  async #advance({ life, request }: Of<'advance'>): Promise<void> {
    const reply = await this.context.bus.call(advanceJob, request, { timeoutMs: saveTimeoutMs }).then(
      ({ body }) => body,
      (error: unknown) => {
        const about = { job: request.job, error: messageOf(error) };
        this.context.log.warn(about, 'leader: could not move the job on; will read it again');
        return undefined;
      },
    );
    this.#step({ kind: 'advanceAnswered', life, request, reply });
  }

  async #readJobs({ life }: Of<'readJobs'>): Promise<void> {
    try {
      const jobs = await this.#loader.all();
      this.#loader.keepOnly(new Set(jobs.map(({ record }) => record.spec.job)));
      this.#step({ kind: 'jobsRead', life, jobs });
    } catch (error) {
      this.context.log.warn({ error: messageOf(error) }, 'leader: cannot read the jobs; will ask again');
      this.#step({ kind: 'jobsRead', life, jobs: undefined });
    }
  }

  async #readJob({ ask }: Of<'readJob'>): Promise<void> {
    try {
      this.#step({ kind: 'jobRead', ask, found: await this.#loader.one(ask.job) });
    } catch (error) {
      this.#unread(ask, error);
    }
  }

  async #readParts({ ask }: Of<'readParts'>): Promise<void> {
    try {
      const [parts, bytesPerItem] = await Promise.all([
        ask.wanted ? this.#loader.parts(ask.loaded) : undefined,
        this.#loader.bytesPerItem(ask.loaded.record),
      ]);
      this.#step({ kind: 'partsRead', ask, parts, bytesPerItem });
    } catch (error) {
      this.#unread(ask, error);
    }
  }

  #unread(ask: Extract<OfficeEvent, { kind: 'readFailed' }>['ask'], error: unknown): void {
    this.context.log.warn({ error: messageOf(error) }, 'leader: cannot read a job; the next poll will');
    this.#step({ kind: 'readFailed', ask });
  }

  #note({ job, message }: Of<'note'>): void {
    this.#publish({ event: 'note', job, at: this.context.clock.now(), message });
  }

  #publish(event: Parameters<ServiceContext['events']['append']>[0]): void {
    this.context.events.append(event).catch((error: unknown) => {
      this.context.log.debug({ error: messageOf(error) }, 'leader: an event was not kept');
    });
  }
}
