/** Every bound and wait (ms unless said otherwise). Relations are checked by {@link checkTimings}. */
export interface Timings {
  /** H: time between two Coordinator messages of a leader. */
  readonly heartbeatMs: number;
  /** L: this long without a Coordinator, and a node calls an election. */
  readonly leaderTimeoutMs: number;
  /** Random time on top of L, so that nodes rarely call at once. */
  readonly spreadMs: number;
  /** A leader heard within this time is told to callers as alive. Below L, or two nodes that heard the same last Coordinator contradict each other. */
  readonly leaderFreshMs: number;
  /** How long a caller waits for an OK. */
  readonly okWaitMs: number;
  /** How long a caller that got an OK, or whose claim was refused, waits for the Coordinator. */
  readonly coordinatorWaitMs: number;
  /** A node that said OK and never coordinated is not asked again for this long: it can answer but cannot win (non-transitive links). */
  readonly ignoreMs: number;
  readonly renewEveryMs: number;
  readonly renewRetryMs: number;
  /** A leader stops acting this long after the start of its last successful renewal. */
  readonly leaseMs: number;
  /** The own job-splitter beats this often; after `splitterMissesMax` misses the node is not eligible. */
  readonly splitterBeatMs: number;
  readonly splitterMissesMax: number;
  /** First wait after the store could not be reached, or after a lost tenure; doubles up to `backoffMaxMs`. */
  readonly backoffMs: number;
  readonly backoffMaxMs: number;
  /** A timer later than this means that the process stood still: what came meanwhile is read before anyone is judged. */
  readonly lateMs: number;
  readonly damping: DampingTimings;
  readonly raft: RaftTimings;
  readonly lease: LeaseTimings;
}

/** What keeps leadership from wandering with a node that comes and goes, or is not well. */
export interface DampingTimings {
  /** A higher-ranked node follows this long, able to lead, before it asks for the lead. */
  readonly eligibleMs: number;
  /** A healthy leader gives way after this long at the earliest; doubles with each change of leader within `windowMs`, up to `tenureMaxMs`. */
  readonly tenureMs: number;
  readonly tenureMaxMs: number;
  readonly windowMs: number;
  /** Askers are collected for this long, so that the lead goes to the highest at once instead of climbing step by step. */
  readonly collectMs: number;
  /** A resigned leader's named successor goes first; all others wait this long. */
  readonly successorFirstMs: number;
  /** Three demotions within `yieldMs` lower the own rank for as long. */
  readonly yieldMs: number;
  /** An event loop later than this in three heartbeats running is not fit to lead. */
  readonly loopLagMs: number;
}

export interface RaftTimings {
  /** A leader trusts its majority this long, from before the heartbeat that each of them answered: L·(1−m). */
  readonly mandateMs: number;
  /** A voter that heard a leader, or gave its vote, accepts no other this long: L·(1+2d). Also the wait after a restart. */
  readonly promiseMs: number;
  /** Silence before a pre-vote: at least this, and a random part of `electionSpreadMs`. */
  readonly electionMs: number;
  readonly electionSpreadMs: number;
  /** Answers to one ballot count this long, by the asker's clock. */
  readonly ballotMs: number;
  readonly ballotRepeatMs: number;
  readonly recoverEveryMs: number;
}

export interface LeaseTimings {
  /** The holder trusts its record this long, from before the write: L·(1−m). */
  readonly holdMs: number;
  /** Others take a record that did not change for this long, as they saw it: L·(1+2d) + grace. */
  readonly takeoverMs: number;
  readonly renewEveryMs: number;
  readonly renewRetryMs: number;
  readonly pollMs: number;
}

/** Clocks of two machines may differ by this share in rate; the margins below tolerate it. */
export const clockRateError = 0.05;

/** Raft's waits for a leader that is silent for L: m = 0.1, d = 0.05, timer 1.2 L to 1.8 L. */
export function raftTimings(leaderTimeoutMs: number): RaftTimings {
  const share = (part: number): number => Math.round(leaderTimeoutMs * part);
  return {
    mandateMs: share(0.9),
    promiseMs: share(1 + 2 * clockRateError),
    electionMs: share(1.2),
    electionSpreadMs: share(0.6),
    ballotMs: share(0.4),
    ballotRepeatMs: share(0.13),
    recoverEveryMs: share(0.5),
  };
}

/** The record's waits for a duration L: m = 0.15, d = 0.05, grace 300 ms. */
export function leaseTimings(durationMs: number): LeaseTimings {
  return {
    holdMs: Math.round(durationMs * 0.85),
    takeoverMs: Math.round(durationMs * (1 + 2 * clockRateError)) + 300,
    renewEveryMs: Math.round(durationMs / 3),
    renewRetryMs: Math.round(durationMs / 120),
    pollMs: Math.round(durationMs / 4),
  };
}

export const defaultTimings: Timings = {
  heartbeatMs: 250,
  leaderTimeoutMs: 1_000,
  spreadMs: 300,
  leaderFreshMs: 750,
  okWaitMs: 200,
  coordinatorWaitMs: 600,
  ignoreMs: 5_000,
  renewEveryMs: 1_000,
  renewRetryMs: 250,
  leaseMs: 3_000,
  splitterBeatMs: 500,
  splitterMissesMax: 3,
  backoffMs: 300,
  backoffMaxMs: 2_000,
  lateMs: 300,
  damping: {
    eligibleMs: 10_000,
    tenureMs: 30_000,
    tenureMaxMs: 300_000,
    windowMs: 600_000,
    collectMs: 1_500,
    successorFirstMs: 100,
    yieldMs: 300_000,
    loopLagMs: 250,
  },
  raft: raftTimings(1_000),
  lease: leaseTimings(6_000),
};

type Rule = readonly [holds: (t: Timings) => boolean, text: string];

/** Each prevents a failure; what a lease or a promise rests on comes with the clocks' tolerated difference. */
const rules: readonly Rule[] = [
  [(t) => t.heartbeatMs * 4 <= t.leaderTimeoutMs, 'heartbeatMs must be at most a quarter of leaderTimeoutMs'],
  [(t) => t.leaderFreshMs < t.leaderTimeoutMs, 'leaderFreshMs must be below leaderTimeoutMs'],
  [(t) => t.coordinatorWaitMs >= t.okWaitMs * 2, 'coordinatorWaitMs must be at least twice okWaitMs'],
  [(t) => t.renewEveryMs * 2 < t.leaseMs, 'renewEveryMs must be below half of leaseMs'],
  [(t) => t.backoffMs <= t.backoffMaxMs, 'backoffMs must not exceed backoffMaxMs'],
  [
    ({ damping: d }) => d.tenureMs <= d.tenureMaxMs && d.tenureMaxMs <= d.windowMs,
    'damping.tenureMs must not exceed tenureMaxMs, nor that windowMs',
  ],
  [({ damping: d, okWaitMs }) => d.successorFirstMs < okWaitMs, 'damping.successorFirstMs must be below okWaitMs'],
  [(t) => outlasts(t.raft.promiseMs, t.raft.mandateMs), 'raft.promiseMs must outlast raft.mandateMs by 10 %'],
  [({ raft }) => raft.electionMs > raft.promiseMs, 'raft.electionMs must be above raft.promiseMs'],
  [({ raft }) => raft.ballotMs * 2 <= raft.mandateMs, 'raft.ballotMs must be at most half of raft.mandateMs'],
  [({ raft }) => raft.ballotRepeatMs * 2 <= raft.ballotMs, 'raft.ballotRepeatMs must be at most half of raft.ballotMs'],
  [
    ({ raft, heartbeatMs }) => heartbeatMs * 3 <= raft.mandateMs,
    'heartbeatMs must be at most a third of raft.mandateMs',
  ],
  [({ lease }) => outlasts(lease.takeoverMs, lease.holdMs), 'lease.takeoverMs must outlast lease.holdMs by 10 %'],
  [({ lease }) => lease.renewEveryMs * 2 < lease.holdMs, 'lease.renewEveryMs must be below half of lease.holdMs'],
];

/** Even if the longer one is counted by a clock that is fast by the tolerated error, and the shorter by one that is slow. */
const outlasts = (longer: number, shorter: number): boolean =>
  longer * (1 - clockRateError) > shorter * (1 + clockRateError);

/** What is wrong with a set of timings, in words; empty when nothing is. */
export function checkTimings(t: Timings): string[] {
  const { damping, raft, lease, ...own } = t;
  const all = [own, damping, raft, lease].flatMap((group) => Object.values(group) as number[]);
  if (!all.every((value) => Number.isFinite(value) && value > 0)) return ['every timing must be above 0'];
  return rules.filter(([holds]) => !holds(t)).map(([, text]) => text);
}
