import { type Recovery, quantile } from './figures.js';
import type { SeededRun } from './session.js';

/** Recovery times of one sort of fault over many runs (ms). */
export interface FaultRow {
  readonly name: string;
  readonly times: number;
  readonly newLeaderMs?: Spread;
  readonly reassignedMs?: Spread;
  readonly goesOnMs?: Spread;
  readonly stallMs?: Spread;
}

export interface Spread {
  readonly samples: number;
  readonly median: number;
  readonly p95: number;
  readonly worst: number;
}

/** What a set of runs says as a whole. */
export interface Summary {
  readonly runs: number;
  readonly faults: number;
  readonly violations: number;
  readonly rows: readonly FaultRow[];
  /** After SIGKILL of the leader, alone. */
  readonly newLeaderMs?: Spread;
  /** Parts of nodes that were killed, alone. */
  readonly reassignedMs?: Spread;
  /** Wall time beyond the run without faults and the lost work, as a share of the run without faults. */
  readonly extra?: { readonly median: number; readonly worst: number };
  /** Wall time and lost work of the runs together, beside that of the runs without faults. */
  readonly wall?: { readonly faultsMs: number; readonly baselineMs: number; readonly lostMs: number };
}

export const spread = (values: readonly number[]): Spread | undefined =>
  values.length === 0
    ? undefined
    : {
        samples: values.length,
        median: quantile(values, 0.5),
        p95: quantile(values, 0.95),
        worst: Math.max(...values),
      };

/** Figures of all runs that ended as they should. */
export function summary(runs: readonly SeededRun[]): Summary {
  const recoveries = runs.flatMap((run) => run.recoveries);
  const names = [...new Set(recoveries.map(({ name }) => name))].sort();
  const killed = recoveries.filter(({ name }) => /^kill (?:leader|contact node|other node)$/.test(name));
  const compared = runs.filter(({ wallMs, baselineMs }) => wallMs > 0 && baselineMs !== undefined);
  const newLeaderMs = newLeaders(killed.filter(({ name }) => name === 'kill leader'));
  const reassignedMs = spread(killed.flatMap((recovery) => recovery.reassignedMs));
  return {
    runs: runs.length,
    faults: runs.reduce((total, { faults }) => total + faults.length, 0),
    violations: runs.reduce((total, { violations }) => total + violations.length, 0),
    rows: names.map((name) => row(name, recoveries)),
    ...(newLeaderMs && { newLeaderMs }),
    ...(reassignedMs && { reassignedMs }),
    ...(compared.length > 0 && { extra: extra(compared), wall: wall(compared) }),
  };
}

function row(name: string, all: readonly Recovery[]): FaultRow {
  const mine = all.filter((recovery) => recovery.name === name);
  const newLeaderMs = newLeaders(mine);
  const reassignedMs = spread(mine.flatMap((recovery) => recovery.reassignedMs));
  const goesOnMs = spread(mine.flatMap((recovery) => recovery.goesOnMs ?? []));
  const stallMs = spread(mine.map((recovery) => recovery.stallMs));
  return {
    name,
    times: mine.length,
    ...(newLeaderMs && { newLeaderMs }),
    ...(reassignedMs && { reassignedMs }),
    ...(goesOnMs && { goesOnMs }),
    ...(stallMs && { stallMs }),
  };
}

const newLeaders = (recoveries: readonly Recovery[]): Spread | undefined =>
  spread(recoveries.flatMap(({ newLeaderMs }) => newLeaderMs ?? []));

const extraOf = ({ wallMs, baselineMs = 0, lostWorkMs }: SeededRun): number =>
  (wallMs - baselineMs - lostWorkMs) / baselineMs;

function extra(runs: readonly SeededRun[]): { median: number; worst: number } {
  const shares = runs.map(extraOf);
  return { median: quantile(shares, 0.5), worst: Math.max(...shares) };
}

function wall(runs: readonly SeededRun[]): { faultsMs: number; baselineMs: number; lostMs: number } {
  const total = (of: (run: SeededRun) => number): number => runs.reduce((all, run) => all + of(run), 0);
  return {
    faultsMs: total(({ wallMs }) => wallMs),
    baselineMs: total(({ baselineMs = 0 }) => baselineMs),
    lostMs: total(({ lostWorkMs }) => lostWorkMs),
  };
}

/** The longest that a new leader, and the next attempt of a killed node's part, may take in 95 of 100 cases (ms); extra wall time. */
export const bounds = { newLeaderMs: { bully: 2_500, raft: 2_500, lease: 9_000 }, reassignedMs: 3_000, extra: 0.1 };

/** Which bounds are not kept, in words. */
export function missed(told: Summary, strategy: keyof typeof bounds.newLeaderMs): string[] {
  const over = (what: string, value: number | undefined, bound: number): string[] =>
    value !== undefined && value > bound ? [`${what}: ${seconds(value)} instead of at most ${seconds(bound)}`] : [];
  const late = told.extra !== undefined && told.extra.median > bounds.extra;
  return [
    ...over('new leader after SIGKILL (p95)', told.newLeaderMs?.p95, bounds.newLeaderMs[strategy]),
    ...over("next attempt of a killed node's parts (p95)", told.reassignedMs?.p95, bounds.reassignedMs),
    ...(late
      ? [`extra wall time (median): ${percent(told.extra.median)} instead of at most ${percent(bounds.extra)}`]
      : []),
  ];
}

/** The figures as a Markdown table. */
export function table({ rows }: Summary): string {
  const head = [
    'fault',
    'times',
    'new leader',
    'parts given out again',
    'goes on when it is back',
    'longest time without a commit',
  ];
  const lines = rows.map(({ name, times, newLeaderMs, reassignedMs, goesOnMs, stallMs }) =>
    [name, times, ...[newLeaderMs, reassignedMs, goesOnMs, stallMs].map(cell)].join(' | '),
  );
  return [head.join(' | '), head.map(() => '---').join(' | '), ...lines].map((line) => `| ${line} |`).join('\n');
}

const cell = (found: Spread | undefined): string =>
  found === undefined ? '' : [found.median, found.p95, found.worst].map((ms) => (ms / 1000).toFixed(2)).join(' / ');
const seconds = (ms: number): string => `${(ms / 1000).toFixed(2)} s`;
export const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;
