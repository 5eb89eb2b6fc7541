import type { OpenPart } from '@das/contracts';
import { nodeId } from '@das/kernel';
import { Scenario, jobRecord } from './assigner.scenario.js';
import { partIdOf } from './part-id.js';
import { PendingQueue } from './pending-queue.js';

const nodes = Array.from({ length: 5 }, (_, i) => nodeId(`node-${i + 1}`));

const openParts = (count: number, assigned: boolean): OpenPart[] =>
  Array.from({ length: count }, (_, i) => ({
    ...{ part: partIdOf('map', i, i + 1, 0), kind: 'map', from: i, to: i + 1, tries: 0 },
    ...{ state: assigned ? 'assigned' : 'pending', lastAttempt: assigned ? 1 : 0 },
    live: assigned ? [{ attempt: 1, node: nodes[i % nodes.length]! }] : [],
  }));

/** CPU time of this process (ms), which other programs on the machine do not lengthen; the least of some tries. */
function cpuMs(work: () => void): number {
  const tries = Array.from({ length: 3 }, () => {
    const from = process.cpuUsage();
    work();
    const { user, system } = process.cpuUsage(from);
    return (user + system) / 1000;
  });
  return Math.min(...tries);
}

/** Eight times the work for eight times the elements; squares would be 64 times. In between is room for the garbage collector. */
const size = 6_000;
const larger = 8;
const timesAtMost = 28;
const growth = (work: (elements: number) => void): number => {
  work(size);
  return cpuMs(() => work(larger * size)) / cpuMs(() => work(size));
};

/** A new leader takes `parts` open parts over. */
const takeOver = (parts: readonly OpenPart[]): Scenario => {
  const s = new Scenario();
  s.load(jobRecord('job', parts.length, { cut: parts.length }), {}, parts);
  return s;
};

describe('taking over many open parts', () => {
  it.each([
    ['pending', false],
    ['assigned', true],
  ])('costs as much for each of many as for each of few: %s', (_, assigned) => {
    const [few, many] = [openParts(size, assigned), openParts(larger * size, assigned)];
    expect(growth((count) => void takeOver(count === size ? few : many))).toBeLessThan(timesAtMost);
  });

  it('costs as much to give each of many to nodes as each of few', () => {
    expect(
      growth((count) => {
        const queue = new PendingQueue<object>();
        for (let i = 0; i < count; i++) queue.push({ i });
        for (let next = queue.peek(); next !== undefined; next = queue.peek()) queue.delete(next);
      }),
    ).toBeLessThan(timesAtMost);
  });

  it('keeps one record for each open part, and nothing of those that ended', () => {
    const s = takeOver(openParts(1_000, true));
    const job = [...s.state.jobs.values()][0]!;
    const held = () => [job.parts.size, job.liveAttempts, job.pending.size];
    const onNodes = () => [...s.state.nodes.values()].reduce((sum, { live }) => sum + live.size, 0);
    expect([...held(), onNodes()]).toEqual([1_000, 1_000, 0, 1_000]);
    s.do({ kind: 'nodeLost', node: nodes[0]!, why: 'gone' });
    expect([...held(), onNodes()]).toEqual([1_000, 800, 200, 800]);
    for (const { live } of [...job.parts.values()])
      for (const { ref, node } of [...live.values()]) s.finish({ ...ref, node });
    expect([...held(), onNodes()]).toEqual([200, 0, 200, 0]);
    expect([s.state.ending, s.state.resend, s.state.stopping.size]).toEqual([[], [], 0]);
  });
});

describe('a pending queue', () => {
  it('is first in, first out, each element once, whatever is deleted in between', () => {
    const queue = new PendingQueue<number>();
    const naive: number[] = [];
    let seed = 7;
    const random = (below: number): number => (seed = (seed * 48_271) % 2_147_483_647) % below;
    for (let step = 0; step < 20_000; step++) {
      const element = random(300);
      if (random(2) === 0) {
        queue.push(element);
        if (!naive.includes(element)) naive.push(element);
      } else {
        queue.delete(element);
        if (naive.includes(element)) naive.splice(naive.indexOf(element), 1);
      }
      if (queue.size !== naive.length || queue.peek() !== naive[0]) throw new Error(`differs at step ${step}`);
    }
    expect(queue.size).toBe(naive.length);
  });
});
