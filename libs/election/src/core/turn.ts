import type { NodeId, Rng } from '@das/kernel';
import type { BullyEffect, BullyState, BullyStep, Mono, TimerKind } from './types.js';

/** One step in the making: the new state as a draft, and the effects in the order they are to happen. Lives for one call of `step`. */
export class Turn {
  #state: BullyState;
  readonly #effects: BullyEffect[] = [];

  constructor(
    state: BullyState,
    readonly now: Mono,
    readonly rng: Rng,
  ) {
    this.#state = state;
  }

  get state(): BullyState {
    return this.#state;
  }
  get t(): BullyState['config']['timings'] {
    return this.#state.config.timings;
  }
  get self(): NodeId {
    return this.#state.config.self;
  }

  change(part: Partial<BullyState>): void {
    this.#state = { ...this.#state, ...part };
  }

  emit(effect: BullyEffect): void {
    this.#effects.push(effect);
  }

  /** Timers carry no token: a stale one finds no deadline, or a later one, and does nothing. */
  setTimer(timer: TimerKind, afterMs: number): void {
    this.change({ deadlines: { ...this.#state.deadlines, [timer]: this.now + afterMs } });
    this.emit({ kind: 'setTimer', timer, afterMs });
  }

  clearTimers(...timers: readonly TimerKind[]): void {
    const deadlines = { ...this.#state.deadlines };
    for (const timer of timers) delete deadlines[timer];
    this.change({ deadlines });
  }

  random(ms: number): number {
    return Math.floor(this.rng() * ms);
  }

  /** Nothing heard for L plus a random spread: the usual wait before an election. */
  waitForLeader(): void {
    this.setTimer('election', this.t.leaderTimeoutMs + this.random(this.t.spreadMs));
  }

  /** Raises the known term. A granted term never falls, whatever arrives late. */
  learnTerm(term: number, holder: NodeId | undefined): void {
    const known = this.#state.term;
    if (term > known) this.change({ term, holder, termOver: false });
    else if (term === known && this.#state.holder === undefined) this.change({ holder });
  }

  done(): BullyStep {
    return { state: this.#state, effects: this.#effects };
  }
}
