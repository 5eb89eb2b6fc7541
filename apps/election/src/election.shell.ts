import { type MemberState, coordinator, electionCall, electionOk } from '@das/contracts';
import {
  type BullyConfig,
  type BullyEffect,
  type BullyEvent,
  type BullyState,
  type TermAuthority,
  type TimerKind,
  bully,
} from '@das/election';
import { type Cancel, type NodeId, type Rng, assertNever, messageOf } from '@das/kernel';
import type { ServiceContext } from '@das/platform';

/** Drives the strategy: turns its effects into messages, calls and timers, and feeds the answers back. Decides nothing. */
export class ElectionShell {
  #state: BullyState;
  readonly #timers = new Map<TimerKind, Cancel>();
  #storeAway = false;

  constructor(
    private readonly context: Pick<ServiceContext, 'node' | 'bus' | 'clock' | 'log'>,
    private readonly authority: TermAuthority,
    config: BullyConfig,
    private readonly rng: Rng,
  ) {
    this.#state = bully.initialState(config);
  }

  /** Starts following; an election is called when no leader is heard. Reads the store's term, which saves a refused claim. */
  start(): void {
    this.handle({ kind: 'started' });
    this.authority.current().then(
      ({ term, leader }) => this.handle({ kind: 'termSeen', term, leader }),
      () => undefined,
    );
  }

  /** Resigns when it leads, and does nothing more. */
  stop(): void {
    this.handle({ kind: 'stop' });
    for (const cancel of this.#timers.values()) cancel();
    this.#timers.clear();
  }

  handle(event: BullyEvent): void {
    const { state, effects } = bully.step(this.#state, event, this.context.clock.monotonic(), this.rng);
    this.#state = state;
    for (const effect of effects) this.#perform(effect);
  }

  /** What membership sees of a node: a hint. */
  member(node: NodeId, state: MemberState): void {
    const kind = state === 'dead' ? 'memberDead' : state === 'left' ? 'memberLeft' : 'memberAlive';
    this.handle({ kind, node });
  }

  leader(): { readonly leader: NodeId | undefined; readonly term: number } {
    return bully.leaderOf(this.#state, this.context.clock.monotonic());
  }

  #perform(effect: BullyEffect): void {
    const { bus, log, node } = this.context;
    switch (effect.kind) {
      case 'sendElection':
        return bus.tell(electionCall, { from: node, to: effect.to, round: effect.round });
      case 'sendOk':
        return bus.tell(electionOk, { from: node, to: effect.to, round: effect.round, leader: effect.leader });
      case 'announce':
        return this.#announce(effect);
      case 'claimTerm':
        return void this.#claim(effect.above);
      case 'renewTerm':
        return void this.#renew(effect.term);
      case 'setTimer':
        return this.#setTimer(effect.timer, effect.afterMs);
      case 'steppedUp':
        return log.info({ term: effect.term }, `${node} leads in term ${effect.term}`);
      case 'steppedDown':
        return log.info({ term: effect.term, why: effect.why }, `${node} no longer leads in term ${effect.term}`);
      case 'defect':
        return log.error({}, effect.message);
      default:
        return assertNever(effect);
    }
  }

  #announce({ term, resigned, trustUntil, epoch }: Extract<BullyEffect, { kind: 'announce' }>): void {
    const trustMs = Math.max(0, trustUntil - this.context.clock.monotonic());
    this.context.bus.tell(coordinator, { leader: this.context.node, term, resigned, trustMs, epoch });
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

  #setTimer(timer: TimerKind, afterMs: number): void {
    this.#timers.get(timer)?.();
    this.#timers.set(
      timer,
      this.context.clock.timer(afterMs, () => this.handle({ kind: 'timer', timer })),
    );
  }
}
