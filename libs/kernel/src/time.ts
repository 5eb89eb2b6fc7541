import type { Brand } from './ids.js';

/** Milliseconds since 1970-01-01 UTC by the clock of the machine that wrote it (database times say so). */
export type EpochMs = Brand<number, 'EpochMs'>;
/** A length of time in milliseconds. */
export type DurationMs = Brand<number, 'DurationMs'>;

export const epochMs = (ms: number): EpochMs => ms as EpochMs;
export const durationMs = (ms: number): DurationMs => ms as DurationMs;

/** Ends a timer; calling it twice, or after it fired, does nothing. */
export type Cancel = () => void;

/** The only source of time. `libs/platform` has the real one, `libs/testing` one that moves when it is told to. */
export interface Clock {
  /** Wall-clock time; may jump. For records people read. */
  now(): EpochMs;
  /** Monotonic time; only differences mean something. For leases, timeouts and durations. */
  monotonic(): DurationMs;
  /** Calls `fire` once, not before `after` has passed. */
  timer(after: number, fire: () => void): Cancel;
  /** Calls `fire` again and again, `every` ms after the previous call was *made*; never two at a time. */
  every(every: number, fire: () => void): Cancel;
}

/** Uniform in [0, 1); seeded in tests. */
export type Rng = () => number;
