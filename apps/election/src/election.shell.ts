import { type MemberState, type ReplyOf, type getLeader, coordinator } from '@das/contracts';
import {
  type ElectionConfig,
  type ElectionEffect,
  type ElectionEvent,
  type ElectionStrategy,
  type KvAsk,
  type OfficeState,
  type TermAuthority,
  type TimerKind,
  type Vote,
  askKv,
} from '@das/election';
import { type Cancel, type NodeId, type Rng, assertNever, messageOf } from '@das/kernel';
import type { ServiceContext } from '@das/platform';
import { tellOne } from './letters.js';
import type { StrategyPorts } from './strategy-ports.js';

type Of<K extends ElectionEffect['kind']> = Extract<ElectionEffect, { kind: K }>;

/** Wait before the store's current term is asked for again (ms). */
const readTermAgainMs = 2_000;

/** Drives a strategy: turns its effects into messages, calls and timers, and feeds the answers back. Decides nothing. */
export class ElectionShell {
  #state: OfficeState;
  readonly #timers = new Map<TimerKind | 'readTerm', Cancel>();
  readonly #cancels: Cancel[] = [];
  #storeAway = false;
  #stopped = false;

  constructor(
    private readonly context: Pick<ServiceContext, 'node' | 'bus' | 'clock' | 'log'>,
    private readonly strategy: ElectionStrategy,
    private readonly authority: TermAuthority,
    private readonly ports: () => StrategyPorts,
    config: ElectionConfig,
    private readonly rng: Rng,
  ) {
    this.#state = strategy.initialState(config);
  }

  /** Starts following; an election is called when no leader is heard. Reads the store's term, which saves a refused claim. */
  start(): void {
    const { kv } = this.ports();
    if (kv !== undefined) this.#cancels.push(kv.watch(() => this.handle({ kind: 'kvChanged' })));
    this.#cancels.push(this.#watchLoop());
    this.handle({ kind: 'started' });
    this.#readTerm();
  }

  /** Resigns when it leads, and does nothing more. */
  stop(): void {
    this.handle({ kind: 'stop' });
    this.#stopped = true;
    for (const cancel of this.#cancels.splice(0)) cancel();
    for (const cancel of this.#timers.values()) cancel();
    this.#timers.clear();
  }

  handle(event: ElectionEvent): void {
    const { state, effects } = this.strategy.step(this.#state, event, this.context.clock.monotonic(), this.rng);
    this.#state = state;
    for (const effect of effects) this.#perform(effect);
  }

  /** What membership sees of a node: a hint. */
  member(node: NodeId, state: MemberState): void {
    const kind = state === 'dead' ? 'memberDead' : state === 'left' ? 'memberLeft' : 'memberAlive';
    this.handle({ kind, node });
  }

  leader(): ReplyOf<typeof getLeader> {
    return this.strategy.leaderOf(this.#state, this.context.clock.monotonic());
  }

  #perform(effect: ElectionEffect): void {
    const { bus, log, node } = this.context;
    switch (effect.kind) {
      case 'send':
        return tellOne(bus, effect.to, effect.message);
      case 'announce':
        return this.#announce(effect);
      case 'claimTerm':
        return void this.#claim(effect.above);
      case 'renewTerm':
        return void this.#renew(effect.term);
      case 'loadVote':
        return void this.#loadVote();
      case 'saveVote':
        return void this.#saveVote(effect.vote);
      case 'askKv':
        return void this.#askKv(effect.id, effect.ask);
      case 'setTimer':
        return this.#setTimer(effect.timer, effect.afterMs, () => this.handle({ kind: 'timer', timer: effect.timer }));
      case 'steppedUp':
        return log.info({ term: effect.term }, `${node} leads in term ${effect.term}`);
      case 'steppedDown':
        return log.info({ term: effect.term, why: effect.why }, `${node} no longer leads in term ${effect.term}`);
      case 'tell':
        return log[effect.level]({}, effect.message);
      case 'defect':
        return log.error({}, effect.message);
      default:
        return assertNever(effect);
    }
  }

  #announce({ term, resigned, trustUntil, epoch, to }: Of<'announce'>): void {
    const trustMs = Math.max(0, trustUntil - this.context.clock.monotonic());
    const voters = this.strategy.name === 'raft' ? { voters: [...this.#state.config.voters] } : {};
    this.context.bus.tell(coordinator, { leader: this.context.node, term, resigned, trustMs, epoch, to, ...voters });
  }

  async #claim(above: number): Promise<void> {
    try {
      const { granted, term, leader } = await this.authority.claim(above);
      this.#reached(true);
      this.handle({ kind: 'termClaimed', above, granted, term, leader });
    } catch (error) {
      this.#reached(false, error);
      this.handle({ kind: 'claimFailed', above });
    }
  }

  async #renew(asked: number): Promise<void> {
    try {
      const { held, term, leader } = await this.authority.renew(asked);
      this.#reached(true);
      this.handle({ kind: 'renewed', asked, held, term, leader });
    } catch (error) {
      this.#reached(false, error);
      this.handle({ kind: 'renewFailed', asked });
    }
  }

  #readTerm(): void {
    this.authority.current().then(
      ({ term, leader }) => this.handle({ kind: 'termSeen', term, leader }),
      () => {
        if (!this.#stopped) this.#setTimer('readTerm', readTermAgainMs, () => this.#readTerm());
      },
    );
  }

  /** One line per change, not one per failed try. */
  #reached(reached: boolean, error?: unknown): void {
    if (reached !== this.#storeAway) return;
    this.#storeAway = !reached;
    if (reached) this.context.log.info({}, 'the store answers again');
    else
      this.context.log.warn(
        { error: messageOf(error) },
        'the store cannot be asked for a term; nobody leads without one',
      );
  }

  async #loadVote(): Promise<void> {
    const vote = await (this.ports().votes?.load() ?? 'empty');
    this.handle({ kind: 'voteLoaded', vote });
  }

  async #saveVote(vote: Vote): Promise<void> {
    const failed = await this.ports()
      .votes?.save(vote)
      .then(() => undefined, messageOf);
    if (failed !== undefined)
      this.context.log.error({ error: failed }, 'this voter cannot store its vote, and gives none');
    this.handle({ kind: 'voteSaved', vote, ok: failed === undefined });
  }

  async #askKv(id: number, ask: KvAsk): Promise<void> {
    const { kv } = this.ports();
    const result = kv === undefined ? ({ kind: 'failed' } as const) : await askKv(kv, ask);
    this.handle({ kind: 'kvAnswered', id, result });
  }

  /** How late the event loop is, once per heartbeat: a node that cannot keep up is to be chosen last. */
  #watchLoop(): Cancel {
    const { clock } = this.context;
    const every = this.#state.config.timings.heartbeatMs;
    let last = clock.monotonic();
    return clock.every(every, () => {
      const now = clock.monotonic();
      const lagMs = now - last - every;
      last = now;
      this.handle({ kind: 'loopLag', lagMs });
    });
  }

  #setTimer(timer: TimerKind | 'readTerm', afterMs: number, fire: () => void): void {
    this.#timers.get(timer)?.();
    this.#timers.set(timer, this.context.clock.timer(afterMs, fire));
  }
}
