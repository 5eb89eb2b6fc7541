import { limits } from '@das/contracts';
import { settle } from './storm.js';
import { Cluster } from './cluster.js';
import { someSpec } from './directed.js';
import { optionsOf } from './options.js';
import type { SimNode } from './sim-node.js';
import type { Weakening } from './weakening.js';
import type { JobPlan } from './workload.js';

/* The concrete schedules of the rules that keep it right, one each, on a cluster to which nothing else happens. Those that need two real transactions at once are in the store's contract suite. */

/** Three nodes with a leader; nothing is lost. */
function quiet(weaken: Weakening = {}): Cluster {
  const cluster = new Cluster(optionsOf(1, { nodes: 3, loss: 0, trace: true, weaken }));
  for (const node of cluster.nodes) node.start();
  cluster.runUntil(4_000);
  return cluster;
}

/** Twelve items, one a part, each of this length; assigned within the next half second. */
function submit(cluster: Cluster, msPerItem: number, hook: 'on_success' | 'none' = 'none'): void {
  const { limits, functions } = someSpec();
  const input = { kind: 'range' as const, from: 0, to: 12 };
  const hooks = { ...functions, on_success: hook === 'on_success' };
  const spec = someSpec({ input, functions: hooks, limits: { ...limits, itemsPerPart: 1 } });
  const calm = { raises: new Map(), crashes: new Map(), fickleTries: 0, staged: false, cancelAfterMs: undefined };
  const plan: JobPlan = { spec, items: 12, blockItems: 4, msPerItem, submitAtMs: cluster.time.now, ...calm };
  cluster.submit(plan);
  cluster.runUntil(cluster.time.now + 500);
}

function leaderOf(cluster: Cluster): SimNode {
  const leader = cluster.nodes.find(({ splitter }) => splitter?.office !== undefined);
  if (leader === undefined) throw new Error('nobody leads');
  return leader;
}

/** Each part with the states of its attempts by number. */
function attemptsOf(cluster: Cluster): Map<string, { readonly node: string; readonly is: string }[]> {
  const job = cluster.store.data.jobs.get(someSpec().job);
  const parts = [...(job?.parts.values() ?? [])];
  return new Map(
    parts.map(({ part, attempts }) => [
      part,
      attempts.map(({ attempt, node, state }) => ({ node, is: `${attempt} ${state}` })),
    ]),
  );
}
const logged = (cluster: Cluster, ...words: string[]): boolean =>
  cluster.log.some((line) => words.every((word) => line.includes(word)));

it('sends what a leader saved and did not live to send, with the same number', () => {
  let losing = true;
  const cluster = quiet({
    office: (real) => (office, event, now) => real(office, event, now).filter(({ kind }) => !losing || kind !== 'send'),
  });
  submit(cluster, 100);
  const leader = leaderOf(cluster);
  const saved = [...attemptsOf(cluster)].filter(([, [first]]) => first !== undefined && first.node !== leader.name);
  expect(saved.length).toBeGreaterThan(2);
  expect(cluster.nodes.every(({ executor }) => executor?.state.attempts.size === 0)).toBe(true);
  leader.crash();
  losing = false;
  cluster.runUntil(cluster.time.now + 5_000);
  leader.start();
  settle(cluster);
  const after = attemptsOf(cluster);
  for (const [part, [first]] of saved) expect(after.get(part)).toEqual([{ node: first?.node, is: '1 committed' }]);
});

it('takes commits whose answers were lost as done, and runs nothing again', () => {
  const cluster = quiet();
  submit(cluster, 600);
  cluster.store.deafness = 1;
  cluster.runUntil(cluster.time.now + 700);
  cluster.store.deafness = 0;
  settle(cluster);
  expect(logged(cluster, 'commitPart', 'alreadyCommitted')).toBe(true);
  expect(
    [...attemptsOf(cluster).values()].every(([first, ...more]) => first?.is === '1 committed' && more.length === 0),
  ).toBe(true);
});

it('refuses the acts of a leader that stood still, and does without it', () => {
  const cluster = quiet();
  submit(cluster, 2_000);
  const leader = leaderOf(cluster);
  const { term } = cluster.judge;
  leader.pause();
  cluster.runUntil(cluster.time.now + 6_000);
  expect(cluster.judge.term).toBe(term + 1);
  expect(leader.splitter?.office?.term).toBe(term);
  leader.resume();
  settle(cluster);
  expect(logged(cluster, `${leader.name}: left the office of term ${term}`)).toBe(true);
});

it('accepts the commits of live attempts under a newer term', () => {
  const cluster = quiet();
  submit(cluster, 2_500);
  const { term } = cluster.judge;
  leaderOf(cluster).startSplitter();
  settle(cluster);
  expect(cluster.judge.term).toBe(term + 1);
  const first = [...attemptsOf(cluster).values()].filter(([attempt]) => attempt?.is === '1 committed');
  expect(first).toHaveLength(12);
});

it('refuses the commit of an attempt that was ended, whichever term assigned it', () => {
  const cluster = quiet();
  submit(cluster, 4_000);
  const victim = cluster.nodes.find((node) => node !== leaderOf(cluster) && node.executor?.state.attempts.size !== 0);
  victim?.pause();
  cluster.runUntil(cluster.time.now + 9_000);
  victim?.resume();
  settle(cluster);
  expect(logged(cluster, `commitPart of ${victim?.name}`, 'staleAttempt')).toBe(true);
});

describe('a job with a hook', () => {
  const stored = (cluster: Cluster) => cluster.store.data.jobs.get(someSpec().job)!;
  const hookOf = (cluster: Cluster) => [...stored(cluster).parts.values()].find(({ kind }) => kind === 'hook');
  /** The moment when the hook runs on a node; seconds, as the step takes four items' time. */
  function running(msPerItem: number): Cluster {
    const cluster = quiet();
    submit(cluster, msPerItem, 'on_success');
    for (let looks = 0; looks < 1_000 && hookOf(cluster)?.attempts.length !== 1; looks++)
      cluster.runUntil(cluster.time.now + 10);
    expect(stored(cluster)).toMatchObject({ state: 'settling', decision: { outcome: 'succeeded' } });
    return cluster;
  }

  it('keeps its decision over the death of the leader that asked for it, and ends so', () => {
    const cluster = running(1_000);
    const { decision } = stored(cluster);
    const leader = leaderOf(cluster);
    leader.crash();
    cluster.runUntil(cluster.time.now + 5_000);
    leader.start();
    settle(cluster);
    expect(stored(cluster)).toMatchObject({ state: 'succeeded', decision, hookFailure: undefined });
    expect(hookOf(cluster)?.state).toBe('committed');
  });

  it('starts its hook elsewhere only after the rest, when its node stands still', () => {
    const cluster = running(1_000);
    const holder = cluster.nodes.find(({ name }) => name === hookOf(cluster)?.attempts[0]?.node)!;
    holder.pause();
    cluster.runUntil(cluster.time.now + 30_000);
    holder.resume();
    settle(cluster);
    const [first, second] = hookOf(cluster)!.attempts;
    expect([first?.state, second?.state]).toEqual(['ended', 'committed']);
    expect(second!.node).not.toBe(holder.name);
    expect(second!.startedAt - first!.endedAt!).toBeGreaterThanOrEqual(limits.hookRestMs);
    expect(stored(cluster).state).toBe('succeeded');
  });
});
