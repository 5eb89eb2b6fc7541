import { type NodeId, nodeId } from '@das/kernel';
import { FakeClock } from '@das/testing';
import { type Found, JoinQueue } from './join-queue.js';
import { membershipLimits } from './limits.js';

describe('joining what was found', () => {
  let clock: FakeClock;
  let others: number;
  let joins: string[];
  let known: Set<NodeId>;
  let answer: (found: Found) => Promise<boolean>;
  let queue: JoinQueue;
  let chance: number;

  beforeEach(() => {
    [clock, others, joins, known, chance] = [new FakeClock(), 2, [], new Set(), 0.5];
    answer = () => Promise.resolve(true);
    queue = new JoinQueue({
      clock,
      rng: () => chance,
      others: () => others,
      isMissing: ({ node }) => !known.has(node),
      join: (found) => (joins.push(`${found.node} ${clock.monotonic()}`), answer(found)),
    });
  });
  afterEach(() => {
    queue.stop();
    expect(clock.pending).toBe(0);
  });
  const found = (name: string, startedAt = 1): Found => ({
    node: nodeId(name),
    address: '10.0.0.1:1',
    startedAt,
    edition: 0,
  });

  it.each([
    [2, 30],
    [99, 1_000],
    [999, 4_000],
  ])('beside %i others waits %i ms on average', async (count, waitMs) => {
    others = count;
    queue.add(found('a'));
    await clock.advanceAsync(20_000);
    expect(joins).toEqual([`a ${waitMs}`]);
  });

  it('looks again right before it joins', async () => {
    others = 999;
    queue.add(found('a'));
    await clock.advanceAsync(3_999);
    known.add(nodeId('a'));
    await clock.advanceAsync(10_000);
    expect(joins).toEqual([]);
  });

  it('is not held up by a node that swallows every packet, and joins a few at the same time at most', async () => {
    answer = ({ node }) => (node.startsWith('hole') ? new Promise(() => undefined) : Promise.resolve(true));
    for (const name of ['hole-1', 'a', 'b', 'hole-2', 'c']) queue.add(found(name));
    await clock.advanceAsync(1_000);
    expect(joins.map((line) => line.split(' ')[0]).sort()).toEqual(['a', 'b', 'c', 'hole-1', 'hole-2']);
    for (const name of ['hole-3', 'hole-4', 'd']) queue.add(found(name));
    await clock.advanceAsync(1_000);
    expect(joins.filter((line) => line.startsWith('d'))).toEqual([]);
    expect(joins).toHaveLength(3 + membershipLimits.joinsAtOnceMax);
  });

  it('leaves one alone for longer each time that it could not be joined, until it starts anew', async () => {
    [chance, others] = [0, 999];
    answer = () => Promise.resolve(false);
    for (let seconds = 0; seconds < 1_200; seconds += 10) {
      queue.add(found('a'));
      await clock.advanceAsync(10_000);
    }
    const at = joins.map((line) => Number(line.split(' ')[1]) / 1_000);
    expect(at).toEqual([0, 10, 30, 70, 140, 270, 530, 830, 1_130]);
    queue.add(found('a', 2));
    await clock.advanceAsync(0);
    expect(joins).toHaveLength(at.length + 1);
    queue.forgive();
    queue.add(found('a'));
    await clock.advanceAsync(0);
    expect(joins).toHaveLength(at.length + 2);
  });

  it('tries on at every presence in a small cluster', async () => {
    answer = () => Promise.resolve(false);
    for (let round = 0; round < 6; round += 1) {
      queue.add(found('a'));
      await clock.advanceAsync(membershipLimits.presenceEveryMs);
    }
    expect(joins).toHaveLength(6);
  });
});
