import {
  type ElectionEffect,
  type ElectionEvent,
  type ElectionStrategy,
  type OfficeState as ElectionState,
  type StrategyName,
  bully,
  defaultTimings,
  lease,
  raft,
} from '@das/election';
import type { SimDisk, SimKv } from '@das/election/sim';
import { Fault } from '@das/contracts';
import { type NodeId, type Rng, assertNever } from '@das/kernel';
import type { Bus } from './bus.js';
import type { Process } from './machine.js';
import type { SimStore } from './store.js';

type Of<K extends ElectionEffect['kind']> = Extract<ElectionEffect, { kind: K }>;

export interface Coordinator extends Omit<Of<'announce'>, 'kind' | 'trustUntil'> {
  readonly leader: NodeId;
  readonly trustMs: number;
}

export interface ElectionsOwner {
  readonly bus: Bus;
  readonly store: SimStore;
  readonly kv: SimKv;
  readonly rng: Rng;
  readonly names: readonly NodeId[];
  announced(by: Process, message: Coordinator): void;
  /** A letter to the election of one node. */
  letter(from: NodeId, to: NodeId, event: ElectionEvent): void;
  say(text: () => string): void;
  fail(text: string): never;
}

/** As the adapter of TermAuthority asks (ms). */
const claimOptions = { tryMs: 500, timeoutMs: 1_500 };
const renewOptions = { tryMs: 400, timeoutMs: 2_000 };
const readTermAgainMs = 2_000;
/** A vote is on the disk after up to this long (ms). */
const syncMaxMs = 12;

const real: Readonly<Record<StrategyName, ElectionStrategy>> = { bully: bully, raft: raft, lease: lease };
export const strategyOf = (name: StrategyName): ElectionStrategy => real[name];

/** The election of one machine: performs what the strategy decides, as the service's shell does. */
export class Election {
  state: ElectionState;

  constructor(
    private readonly owner: ElectionsOwner,
    readonly process: Process,
    readonly strategy: ElectionStrategy,
    private readonly disk: SimDisk,
    instance: string,
    /** Number of this life among all: names it to the bucket. */
    readonly life: number,
  ) {
    this.state = strategy.initialState({
      self: process.name,
      instance,
      priorities: {},
      voters: owner.names,
      preempt: true,
      timings: defaultTimings,
    });
  }

  start(): void {
    this.handle({ kind: 'started' });
    this.#readTerm();
  }

  handle(event: ElectionEvent): void {
    const before = this.state.term;
    const { state, effects } = this.strategy.step(this.state, event, this.process.mono(), this.owner.rng);
    this.state = state;
    if (state.term < before) this.owner.fail(`${this.process.name} forgot term ${before} for ${state.term}`);
    if (state.term > this.owner.store.data.term)
      this.owner.fail(`${this.process.name} knows term ${state.term}, which nobody granted`);
    for (const effect of effects) this.#perform(effect);
  }

  /** Who leads in its view. */
  leader(): NodeId | undefined {
    return this.strategy.leaderOf(this.state, this.process.mono()).leader;
  }
  acts(): boolean {
    return this.process.mono() < this.strategy.trustedUntil(this.state);
  }

  #perform(effect: ElectionEffect): void {
    const { owner, process } = this;
    switch (effect.kind) {
      case 'send':
        return owner.letter(process.name, effect.to, { kind: 'message', message: effect.message });
      case 'announce':
        return this.#announce(effect);
      case 'claimTerm':
        return this.#claim(effect.above);
      case 'renewTerm':
        return this.#renew(effect.term);
      case 'loadVote':
        return process.after(owner.rng() * syncMaxMs, () =>
          this.handle({ kind: 'voteLoaded', vote: this.disk.load() }),
        );
      case 'saveVote':
        return this.#save(effect);
      case 'askKv':
        return owner.kv.ask({ name: process.name, life: this.life, mono: () => process.mono() }, effect.id, effect.ask);
      case 'setTimer':
        return process.after(effect.afterMs, () => this.handle({ kind: 'timer', timer: effect.timer }));
      case 'steppedUp':
        return owner.say(() => `${process.name}: leads in term ${effect.term}`);
      case 'steppedDown':
        return owner.say(() => `${process.name}: no longer leads in term ${effect.term} (${effect.why})`);
      case 'tell':
        return owner.say(() => `${process.name}: ${effect.message}`);
      case 'defect':
        return owner.fail(`${process.name} reports a defect: ${effect.message}`);
      default:
        return assertNever(effect);
    }
  }

  #announce({ term, resigned, trustUntil, epoch, to }: Of<'announce'>): void {
    const trustMs = Math.max(0, trustUntil - this.process.mono());
    this.owner.announced(this.process, { leader: this.process.name, term, resigned, trustMs, epoch, to });
  }

  #claim(above: number): void {
    const node = this.process.name;
    this.owner.store.ask(
      this.process,
      'claimTerm',
      { node, above },
      (outcome) => {
        if (outcome === undefined || outcome instanceof Fault) return this.handle({ kind: 'claimFailed', above });
        this.handle({ kind: 'termClaimed', above, ...outcome.reply });
      },
      claimOptions,
    );
  }

  #renew(asked: number): void {
    const node = this.process.name;
    this.owner.store.ask(
      this.process,
      'renewTerm',
      { node, term: asked },
      (outcome) => {
        if (outcome === undefined || outcome instanceof Fault) return this.handle({ kind: 'renewFailed', asked });
        this.handle({ kind: 'renewed', asked, ...outcome.reply });
      },
      renewOptions,
    );
  }

  #readTerm(): void {
    this.owner.store.ask(
      this.process,
      'currentTerm',
      {},
      (outcome) => {
        if (outcome === undefined || outcome instanceof Fault)
          return this.process.after(readTermAgainMs, () => this.#readTerm());
        this.handle({ kind: 'termSeen', term: outcome.reply.term, leader: outcome.reply.leader });
      },
      claimOptions,
    );
  }

  #save({ vote }: Of<'saveVote'>): void {
    this.disk.write(vote);
    this.process.after(this.owner.rng() * syncMaxMs, () => {
      this.disk.sync();
      this.handle({ kind: 'voteSaved', vote, ok: true });
    });
  }
}
