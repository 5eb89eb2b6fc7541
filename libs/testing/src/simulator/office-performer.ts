import type { JobRecord, OpenPart } from '@das/contracts';
import { Fault } from '@das/contracts';
import { type LoadedJob, type OfficeEffect, type OfficeEvent, type OfficeState, saveTimeoutMs } from '@das/jobs';
import { type NodeId, assertNever } from '@das/kernel';
import type { Bus } from './bus.js';
import type { Executor } from './executor.js';
import type { Machine, Process } from './machine.js';
import type { SimStore } from './store.js';

type Of<K extends OfficeEffect['kind']> = Extract<OfficeEffect, { kind: K }>;

export interface OfficeOwner {
  readonly bus: Bus;
  readonly store: SimStore;
  machine(name: NodeId): Machine | undefined;
  executorOf(machine: Machine): Executor | undefined;
  say(text: () => string): void;
}

/** The usual patience of a call, and that for an assignment (ms). */
const callOptions = { timeoutMs: 5_000, tryMs: 2_000 };
const assignOptions = { timeoutMs: 2_000, tryMs: 2_000 };

/** Does what an office decides, and feeds the answers back. */
export class OfficePerformer {
  constructor(
    private readonly owner: OfficeOwner,
    private readonly process: Process,
    private readonly step: (office: OfficeState, event: OfficeEvent) => void,
    private readonly over: (term: number) => void,
  ) {}

  perform(office: OfficeState, effect: OfficeEffect): void {
    switch (effect.kind) {
      case 'save':
        return this.#save(office, effect);
      case 'send':
        return this.#send(office, effect);
      case 'drop':
        return this.#drop(effect);
      case 'advance':
        return this.#advance(office, effect);
      case 'readJobs':
        return this.#readJobs(office, effect.life, []);
      case 'readJob':
        return this.#readJob(office, effect);
      case 'readParts':
        return this.#readParts(office, effect, []);
      case 'note':
        return this.owner.say(() => `${effect.job}: ${effect.message}`);
      case 'wait':
        return this.process.after(effect.ms, () => this.step(office, { kind: 'waited', life: effect.life }));
      case 'over':
        this.owner.say(() => `${this.process.name}: term ${office.term} is over (now ${effect.current})`);
        return this.over(office.term);
      default:
        return assertNever(effect);
    }
  }

  #save(office: OfficeState, { request }: Of<'save'>): void {
    const { actSeq } = request.act;
    const done = (reply: Extract<OfficeEvent, { kind: 'saved' }>['reply']): void =>
      this.step(office, { kind: 'saved', actSeq, reply });
    const options = { ...callOptions, timeoutMs: saveTimeoutMs };
    this.owner.store.ask(
      this.process,
      'saveActs',
      request,
      (outcome) => done(outcome instanceof Fault ? undefined : outcome?.reply),
      options,
    );
  }

  #send(office: OfficeState, { node, request }: Of<'send'>): void {
    const attempts = request.assignments;
    const serve = (answer: (reply: Extract<OfficeEvent, { kind: 'sent' }>['reply']) => void): void => {
      const machine = this.owner.machine(node);
      machine?.hear(() => {
        const executor = this.owner.executorOf(machine);
        if (executor !== undefined) answer(executor.assign(request));
      });
    };
    this.owner.bus.call(this.process, node, serve, assignOptions, (reply) => {
      if (reply !== undefined) this.step(office, { kind: 'sent', node, attempts, reply });
    });
  }

  #drop({ node, request }: Of<'drop'>): void {
    const machine = this.owner.machine(node);
    if (machine === undefined) return;
    this.owner.bus.tell(this.process.name, [machine], () => this.owner.executorOf(machine)?.drop(request));
  }

  #advance(office: OfficeState, { life, request }: Of<'advance'>): void {
    this.owner.store.ask(
      this.process,
      'advanceJob',
      request,
      (outcome) => {
        const reply = outcome instanceof Fault ? undefined : outcome?.reply;
        this.step(office, { kind: 'advanceAnswered', life, request, reply });
      },
      callOptions,
    );
  }

  /** Page by page, as the service's loader. */
  #readJobs(office: OfficeState, life: number, before: readonly LoadedJob[]): void {
    const after = before.at(-1)?.record.spec.job;
    this.owner.store.ask(
      this.process,
      'loadJobs',
      after === undefined ? {} : { after },
      (outcome) => {
        if (outcome === undefined || outcome instanceof Fault)
          return this.step(office, { kind: 'jobsRead', life, jobs: undefined });
        const jobs = [...before, ...outcome.reply.jobs];
        if (outcome.reply.more && outcome.reply.jobs.length > 0) return this.#readJobs(office, life, jobs);
        this.step(office, { kind: 'jobsRead', life, jobs });
      },
      callOptions,
    );
  }

  #readJob(office: OfficeState, { ask }: Of<'readJob'>): void {
    this.owner.store.ask(
      this.process,
      'loadJobs',
      { job: ask.job },
      (outcome) => {
        if (outcome === undefined || outcome instanceof Fault) return this.step(office, { kind: 'readFailed', ask });
        this.step(office, { kind: 'jobRead', ask, found: outcome.reply.jobs[0] });
      },
      callOptions,
    );
  }

  #readParts(office: OfficeState, effect: Of<'readParts'>, before: readonly OpenPart[]): void {
    const { ask } = effect;
    const { record, counts } = ask.loaded;
    if (!ask.wanted || counts.open === 0) {
      const parts = ask.wanted ? before : undefined;
      return this.#partsRead(office, ask, parts);
    }
    const { generation, spec } = record;
    const after = before.at(-1)?.part;
    this.owner.store.ask(
      this.process,
      'loadParts',
      { job: spec.job, generation, ...(after === undefined ? {} : { after }) },
      (outcome) => {
        if (outcome === undefined || outcome instanceof Fault) return this.step(office, { kind: 'readFailed', ask });
        const parts = [...before, ...outcome.reply.parts];
        if (outcome.reply.more && outcome.reply.parts.length > 0) return this.#readParts(office, effect, parts);
        this.#partsRead(office, ask, parts);
      },
      callOptions,
    );
  }

  #partsRead(office: OfficeState, ask: Of<'readParts'>['ask'], parts: readonly OpenPart[] | undefined): void {
    this.step(office, { kind: 'partsRead', ask, parts, bytesPerItem: bytesPerItem(ask.loaded.record) });
  }
}

/** Simulated items are tiny: no part is bounded by its bytes. */
const bytesPerItem = ({ items }: JobRecord): number => (items === 0 ? 0 : 4);
