import type { PartView } from '@das/contracts';

/** A fault as it was performed; times are ms since 1970 by the machine's clock, which is the database's as well. */
export interface PerformedFault {
  readonly name: string;
  /** Which processes, in words. */
  readonly hit: string;
  readonly at: number;
  /** What was hit runs again and says so. */
  readonly healedAt: number;
  /** Nodes whose executor could do nothing meanwhile. */
  readonly nodes: readonly string[];
  /** A server was away, for every node. */
  readonly server: boolean;
  /** Until another node said that it leads; absent when the leader was not hit. */
  readonly newLeaderMs?: number;
}

/** How the cluster took one fault (ms). */
export interface Recovery {
  readonly name: string;
  readonly newLeaderMs?: number;
  /** Of each part that only the hit nodes had: until the next attempt of it was saved. */
  readonly reassignedMs: readonly number[];
  /** After a server was back: until something was given out, and something committed, again. */
  readonly goesOnMs?: number;
  /** The longest time without any commit, from the fault on until {@link settleMs} after its end, or the next fault. */
  readonly stallMs: number;
}

/** What a fault still causes so long after its end is its own (ms). */
const settleMs = 5_000;

type Attempt = PartView['attempts'][number];
const open = (attempt: Attempt, at: number): boolean =>
  attempt.startedAt <= at && (attempt.endedAt === undefined || attempt.endedAt > at);

/** Reads from the attempts of an ended job how it got over each fault; what comes after the next fault is not the former's. */
export function recoveriesOf(
  faults: readonly PerformedFault[],
  parts: readonly PartView[],
  endedAt: number,
): Recovery[] {
  return faults.map((fault, index) => recoveryOf(fault, parts, Math.min(endedAt, faults[index + 1]?.at ?? endedAt)));
}

function recoveryOf(fault: PerformedFault, parts: readonly PartView[], until: number): Recovery {
  const { name, newLeaderMs } = fault;
  const goesOnMs = fault.server ? goesOn(fault.healedAt, parts) : undefined;
  return {
    name,
    reassignedMs: reassigned(fault, parts),
    stallMs: longestStall(fault.at, Math.min(fault.healedAt + settleMs, until), parts),
    ...(newLeaderMs === undefined ? {} : { newLeaderMs }),
    ...(goesOnMs === undefined ? {} : { goesOnMs }),
  };
}

function reassigned({ nodes, at }: PerformedFault, parts: readonly PartView[]): number[] {
  return parts.flatMap(({ attempts }) => {
    const held = attempts.filter((attempt) => open(attempt, at));
    const lost = held.every(({ node, state }) => nodes.includes(node) && state !== 'committed');
    if (held.length === 0 || !lost) return [];
    const next = attempts.filter(({ startedAt }) => startedAt > at).map(({ startedAt }) => startedAt - at);
    return next.length === 0 ? [] : [Math.min(...next)];
  });
}

/** `undefined` when the job had nothing left to give out. */
function goesOn(backAt: number, parts: readonly PartView[]): number | undefined {
  const attempts = parts.flatMap((part) => part.attempts);
  const after = (times: readonly number[]): number => Math.min(...times.filter((time) => time >= backAt)) - backAt;
  const given = after(attempts.map(({ startedAt }) => startedAt));
  const committed = after(attempts.filter(({ state }) => state === 'committed').map(({ endedAt = 0 }) => endedAt));
  const both = Math.max(given, committed);
  return Number.isFinite(both) ? both : undefined;
}

function longestStall(from: number, to: number, parts: readonly PartView[]): number {
  const commits = parts
    .flatMap(({ attempts }) => attempts.flatMap(({ state, endedAt = 0 }) => (state === 'committed' ? [endedAt] : [])))
    .filter((time) => time > from && time < to)
    .sort((one, other) => one - other);
  const marks = [from, ...commits, Math.max(from, to)];
  return Math.max(...marks.slice(1).map((mark, index) => mark - marks[index]!));
}

/**
 * The work that faults took away, as wall time of the whole job (ms): slots that could not work while a node or a server was away, and
 * what hit nodes had done of attempts that ended without a commit.
 */
export function lostWorkMs(
  faults: readonly PerformedFault[],
  parts: readonly PartView[],
  { nodes, slots, endedAt }: { readonly nodes: readonly string[]; readonly slots: number; readonly endedAt: number },
): number {
  const away = nodes.map((node) => {
    const mine = faults.filter((fault) => fault.server || fault.nodes.includes(node));
    return slots * unionMs(mine.map(({ at, healedAt }) => [at, Math.min(healedAt, endedAt)]));
  });
  const wasted = faults.flatMap((fault) => fault.nodes.map((node) => wastedMs(fault.at, node, slots, parts)));
  return sum([...away, ...wasted]) / (slots * nodes.length);
}

/** Queued attempts had begun nothing: no more than the slots could have done counts. */
function wastedMs(at: number, node: string, slots: number, parts: readonly PartView[]): number {
  const lost = parts
    .flatMap(({ attempts }) => attempts)
    .filter((attempt) => attempt.node === node && attempt.state !== 'committed' && open(attempt, at))
    .map(({ startedAt }) => at - startedAt)
    .sort((one, other) => other - one);
  return sum(lost.slice(0, slots));
}

function unionMs(spans: ReadonlyArray<readonly [number, number]>): number {
  let total = 0;
  let reached = -Infinity;
  for (const [from, to] of [...spans].sort(([one], [other]) => one - other)) {
    total += Math.max(0, to - Math.max(from, reached));
    reached = Math.max(reached, to);
  }
  return total;
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

/** @throws RangeError for no values. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((one, other) => one - other);
  const found = sorted[Math.min(sorted.length - 1, Math.ceil(q * sorted.length) - 1)] ?? sorted[0];
  if (found === undefined) throw new RangeError('no values');
  return found;
}
