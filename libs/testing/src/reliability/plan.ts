import { seeded } from '@das/election/sim';
import type { Rng } from '@das/kernel';
import { type FaultKind, type Processes, faultKinds } from './faults.js';

/** How long things last in a run (ms); a random value between the two bounds. */
export interface Pace {
  /** From the end of one fault to the next. */
  readonly gapMs: readonly [number, number];
  /** From a kill to the start of the same process. */
  readonly downMs: readonly [number, number];
  readonly pauseMs: number;
}

/** Pauses outlast every timeout that declares a node dead. */
export const usualPace: Pace = { gapMs: [1_000, 3_000], downMs: [1_000, 4_000], pauseMs: 5_000 };
/** For a job of a few seconds. */
export const shortPace: Pace = { gapMs: [200, 600], downMs: [200, 1_000], pauseMs: 2_500 };

/** A fault of a run, before it is known which process it will hit. */
export interface PlannedFault {
  /** One, or two that come at the same time in different places. */
  readonly hits: readonly PlannedHit[];
  /** After the fault before has ended (ms). */
  readonly afterMs: number;
  /** In [0, 1): chooses among the processes that fit. */
  readonly pick: number;
}

export interface PlannedHit {
  readonly kind: FaultKind;
  /** Until what was hit may go on (ms). */
  readonly downMs: number;
}

export interface PlanOptions {
  readonly seed: number;
  readonly processes: Processes;
  readonly count: number;
  readonly pace: Pace;
}

/** One in so many faults has company. */
const togetherOneIn = 6;
/** Measured in every run, so that their recovery times have enough samples. */
const always = ['kill leader', 'kill other node'];
const servers = ['kill Postgres', 'kill NATS'];

/** The same seed gives the same faults in the same order: what replays a run. */
export function planFaults({ seed, processes, count, pace }: PlanOptions): PlannedFault[] {
  const rng = seeded(seed);
  const kinds = faultKinds(processes);
  const hit = (kind: FaultKind): PlannedHit => ({
    kind,
    downMs: kind.action === 'pause' ? pace.pauseMs : between(pace.downMs, rng),
  });
  return sequence(kinds, count, rng).map((kind) => {
    const company = Math.floor(rng() * togetherOneIn) === 0 ? companion(kind, kinds, rng) : [];
    return { hits: [kind, ...company].map(hit), afterMs: between(pace.gapMs, rng), pick: rng() };
  });
}

/** The ones that every run has come among the first, at random places; no kind twice before all were drawn. */
function sequence(kinds: readonly FaultKind[], count: number, rng: Rng): FaultKind[] {
  const server = servers[Math.floor(rng() * servers.length)]!;
  const first = kinds.filter(({ name }) => always.includes(name) || name === server);
  const others = kinds.filter((kind) => !first.includes(kind));
  const rest = shuffled(others, rng);
  while (rest.length < count) rest.push(...shuffled(kinds, rng));
  const opening = Math.max(first.length, Math.min(count, first.length + 2));
  const opened = shuffled([...first, ...rest.slice(0, opening - first.length)], rng);
  return [...opened, ...rest.slice(opening - first.length)].slice(0, count);
}

/** Something of another class, so that both have their effect. */
function companion(kind: FaultKind, kinds: readonly FaultKind[], rng: Rng): FaultKind[] {
  const fits = kinds.filter(({ target }) => target.on !== kind.target.on && target.on !== 'service');
  return fits.slice(Math.floor(rng() * fits.length)).slice(0, 1);
}

/** A fault as a line for people. */
export function described({ hits, afterMs }: PlannedFault): string {
  const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;
  return `${seconds(afterMs)} later: ${hits.map(({ kind, downMs }) => `${kind.name} for ${seconds(downMs)}`).join(' and ')}`;
}

function between([least, most]: readonly [number, number], rng: Rng): number {
  return Math.round(least + rng() * (most - least));
}

function shuffled<T>(values: readonly T[], rng: Rng): T[] {
  const result = [...values];
  for (let last = result.length - 1; last > 0; last -= 1) {
    const other = Math.floor(rng() * (last + 1));
    [result[last], result[other]] = [result[other]!, result[last]!];
  }
  return result;
}
