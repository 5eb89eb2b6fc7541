import type { AttemptFinished, BodyOf, ExecutorBeat, coordinator, jobEnded, jobWake } from '@das/contracts';
import { Fault } from '@das/contracts';
import {
  type AssignerEvent,
  type Leadership,
  type LeadershipEffect,
  type OfficeEffect,
  type OfficeEvent,
  type OfficeState,
  defaultAssignerConfig,
  leave,
  newLeadership,
  openOffice,
  pollMs,
  takeProgress,
  termOver,
  termRead,
} from '@das/jobs';
import { type NodeId, assertNever, epochMs } from '@das/kernel';
import type { Machine, Process } from './machine.js';
import { type OfficeOwner, OfficePerformer } from './office-performer.js';
import type { CoordinatorStep, OfficeStep } from './weakening.js';

export interface SplitterOwner extends OfficeOwner {
  readonly officeStep: OfficeStep;
  readonly coordinatorStep: CoordinatorStep;
  /** It opens the office of a term. */
  leads(node: NodeId, term: number): void;
  /** Its beat for the election of its own node. */
  splitterBeat(machine: Machine, epoch: string): void;
  decided(splitter: Splitter, event: OfficeEvent, effects: readonly OfficeEffect[]): void;
}

const splitterBeatMs = 500;
const tickMs = 500;

/** The leader's part of one job-splitter: performs what leadership and office decide, as the service's shell does. */
export class Splitter {
  #leadership: Leadership;
  readonly #performer: OfficePerformer;
  office: OfficeState | undefined;

  constructor(
    private readonly owner: SplitterOwner,
    readonly process: Process,
    readonly epoch: string,
  ) {
    this.#leadership = newLeadership(process.name, epoch);
    const step = (office: OfficeState, event: OfficeEvent): void => this.#step(office, event);
    const over = (term: number): void => this.#follow(termOver(this.#leadership, term));
    this.#performer = new OfficePerformer(owner, process, step, over);
  }

  start(): void {
    const { process } = this;
    const beat = (): void => this.owner.splitterBeat(process.machine, this.epoch);
    beat();
    process.every(splitterBeatMs, beat);
    process.every(tickMs, () => this.#tick());
    process.every(pollMs, () => this.#step(this.office, { kind: 'poll' }));
  }

  stop(): void {
    this.#follow(leave(this.#leadership));
  }

  finished(finished: AttemptFinished): void {
    this.#push({ kind: 'attemptFinished', finished });
  }
  beat(beat: ExecutorBeat): void {
    this.#push({ kind: 'beat', beat });
  }
  jobWake({ job, created }: BodyOf<typeof jobWake>): void {
    this.#push(created === undefined ? { kind: 'jobWoken', job } : { kind: 'jobCreated', record: created });
  }
  jobEnded({ job, belowGeneration, state }: BodyOf<typeof jobEnded>): void {
    if (belowGeneration === undefined) this.#push({ kind: 'jobGone', job, succeeded: state === 'succeeded' });
    else this.#push({ kind: 'stale', jobs: [job] });
  }
  nodeLost(node: NodeId, why: string): void {
    this.#push({ kind: 'nodeLost', node, why });
  }
  connection(up: boolean): void {
    this.#push({ kind: 'connection', up });
  }
  coordinator(message: BodyOf<typeof coordinator>): void {
    this.#follow(this.owner.coordinatorStep(this.#leadership, message, this.process.mono()));
  }

  #tick(): void {
    if (this.office === undefined) return;
    takeProgress(this.office.assigner, epochMs(0));
    this.#push({ kind: 'tick', at: this.process.mono() });
  }

  #push(event: AssignerEvent): void {
    this.#step(this.office, { kind: 'heard', event });
  }

  #follow({ state, effects }: { state: Leadership; effects: readonly LeadershipEffect[] }): void {
    this.#leadership = state;
    for (const effect of effects) this.#lead(effect);
  }

  #lead(effect: LeadershipEffect): void {
    switch (effect.kind) {
      case 'askTerm':
        return this.#askTerm(effect);
      case 'trust':
        return this.#step(this.office, { kind: 'trusted', until: effect.until });
      case 'enter':
        return this.#enter(effect.term, effect.trustedUntil);
      case 'leave':
        this.#step(this.office, { kind: 'closed' });
        this.owner.say(() => `${this.process.name}: left the office of term ${this.office?.term}`);
        this.office = undefined;
        return;
      default:
        return assertNever(effect);
    }
  }

  #askTerm(asked: Extract<LeadershipEffect, { kind: 'askTerm' }>): void {
    this.owner.store.ask(this.process, 'currentTerm', {}, (outcome) => {
      if (outcome === undefined || outcome instanceof Fault) return;
      this.#leadership = termRead(this.#leadership, asked, outcome.reply.term);
    });
  }

  #enter(term: number, trustedUntil: number): void {
    const { process } = this;
    this.owner.leads(process.name, term);
    this.owner.say(() => `${process.name}: takes the office of term ${term}`);
    this.office = openOffice(term, process.name, defaultAssignerConfig, trustedUntil, process.mono());
    this.#step(this.office, { kind: 'poll' });
  }

  #step(office: OfficeState | undefined, event: OfficeEvent): void {
    if (office === undefined) return;
    const effects = this.owner.officeStep(office, event, this.process.mono());
    this.owner.decided(this, event, effects);
    for (const effect of effects) this.#performer.perform(office, effect);
  }
}
