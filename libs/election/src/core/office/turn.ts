import type { NodeId, Rng } from '@das/kernel';
import type { Timings } from '../timings.js';
import { changesMax } from '../types.js';
import type { ElectionEffect, Mono, OfficeState, Step, TimerKind } from '../types.js';
import type { Candidacy } from './candidacy.js';

/** One step in the making: the new state as a draft, and the effects in the order they are to happen. Lives for one call of `step`. */
export class Turn<S extends OfficeState = OfficeState> {
  #state: S;
  readonly #effects: ElectionEffect[] = [];

  constructor(
    state: S,
    readonly now: Mono,
    readonly rng: Rng,
    readonly candidacy: Candidacy<S>,
  ) {
    this.#state = state;
  }

  get state(): S {
    return this.#state;
  }
  get t(): Timings {
    return this.#state.config.timings;
  }
  get self(): NodeId {
    return this.#state.config.self;
  }

  change(part: Partial<S>): void {
    this.#state = { ...this.#state, ...part };
  }

  emit(effect: ElectionEffect): void {
    this.#effects.push(effect);
  }

  /** Timers carry no token: a stale one finds no deadline, or a later one, and does nothing. */
  setTimer(timer: TimerKind, afterMs: number): void {
    this.#setDeadlines({ ...this.#state.deadlines, [timer]: this.now + afterMs });
    this.emit({ kind: 'setTimer', timer, afterMs });
  }

  clearTimers(...timers: readonly TimerKind[]): void {
    const deadlines = { ...this.#state.deadlines };
    for (const timer of timers) delete deadlines[timer];
    this.#setDeadlines(deadlines);
  }

  #setDeadlines(deadlines: OfficeState['deadlines']): void {
    this.#state = { ...this.#state, deadlines };
  }

  random(ms: number): number {
    return Math.floor(this.rng() * ms);
  }

  /** The usual wait before this node tries. */
  waitForLeader(): void {
    this.setTimer('election', this.candidacy.patienceMs(this));
  }

  /** Raises the known term. A granted term never falls, whatever arrives late. */
  learnTerm(term: number, holder: NodeId | undefined): void {
    const { term: known, holder: before } = this.#state;
    if (term < known || (term === known && before !== undefined)) return;
    if (term > known && before !== undefined && holder !== before) this.#noteChange();
    this.#state = { ...this.#state, term, holder, ...(term > known ? { termOver: false } : {}) };
  }

  #noteChange(): void {
    const recent = this.#state.changes.filter((at) => this.now - at < this.t.damping.windowMs);
    this.#state = { ...this.#state, changes: [...recent, this.now].slice(-changesMax) };
  }

  done(): Step<S> {
    return { state: this.#state, effects: this.#effects };
  }
}
