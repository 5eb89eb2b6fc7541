import fc from 'fast-check';
import { jobRecord } from '../core/assigner.scenario.js';
import { ClusterSim, type Run } from './cluster.sim.js';

const runs: readonly Run[] = ['clean', 'itemFails', 'crashesHalfway', 'answerLost', 'commitRepeated'];
/** Enough retries for everything that goes wrong on purpose. */
const limits = { ...jobRecord('x', 1).spec.limits, retries: 100 };

const step = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ kind: fc.constant('run' as const), node: fc.nat(2), how: fc.constantFrom(...runs) }),
  },
  { weight: 4, arbitrary: fc.constant({ kind: 'beats' as const }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('kill' as const), node: fc.nat(2) }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'reviveAll' as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'elect' as const }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('loseSends' as const), lose: fc.boolean() }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'reload' as const }) },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

async function play(sim: ClusterSim, some: Step): Promise<void> {
  switch (some.kind) {
    case 'run':
      return sim.run(sim.names[some.node]!, some.how);
    case 'beats':
      return sim.beats();
    case 'kill':
      return sim.kill(sim.names[some.node]!);
    case 'reviveAll':
      for (const name of sim.names) sim.alive.add(name);
      return;
    case 'elect':
      return sim.elect();
    case 'loseSends':
      sim.loseSends = some.lose;
      return;
    case 'reload':
      return sim.tell({ kind: 'stale', jobs: [sim.record.spec.job] });
  }
}

/** Parts of a generation always partition [0, cut). */
async function expectPartition(sim: ClusterSim): Promise<void> {
  const { job } = sim.record.spec;
  const { parts } = await sim.store.listParts({ job, limit: 1_000 });
  const { jobs } = await sim.store.loadJobs({ job });
  const maps = parts.filter(({ kind }) => kind === 'map').sort((a, b) => a.from - b.from);
  let next = 0;
  for (const { from, to } of maps) {
    expect(from).toBe(next);
    next = to;
  }
  expect(next).toBe(jobs[0]!.record.cut);
}

async function result(sim: ClusterSim): Promise<string> {
  let text = '';
  let after: { from: number; seq: number } | undefined;
  for (;;) {
    const request = {
      job: sim.record.spec.job,
      kind: 'map' as const,
      bucket: 0,
      skipFailed: false,
      ...(after ? { after } : {}),
    };
    const { reply, raw } = await sim.store.readOutput(request);
    text += new TextDecoder().decode(raw);
    const last = reply.rows.at(-1);
    if (last === undefined || !reply.more) return text;
    after = { from: last.from, seq: last.seq };
  }
}

/** Everything works again: the job must end within this many rounds. */
const calmRounds = 400;

async function calm(sim: ClusterSim): Promise<string> {
  for (const name of sim.names) sim.alive.add(name);
  sim.loseSends = false;
  for (let round = 0; round < calmRounds; round += 1) {
    const { job: record } = await sim.store.getJob({ job: sim.record.spec.job });
    if (record?.finishedAt !== undefined) return record.state;
    await sim.beats();
    for (const name of sim.names) for (let slot = 0; slot < 2; slot += 1) await sim.run(name, 'clean');
  }
  return 'stuck';
}

describe('a cluster of leader, executors and store', () => {
  it('commits every item exactly once, whatever nodes, leaders and messages come and go', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 300 }), fc.array(step, { maxLength: 60 }), async (items, steps) => {
        const sim = new ClusterSim(jobRecord('j', items, { spec: { limits } }));
        await sim.start();
        for (const some of steps) {
          await play(sim, some);
          await expectPartition(sim);
        }
        expect(await calm(sim)).toBe('succeeded');
        await expectPartition(sim);
        expect(await result(sim)).toBe(Array.from({ length: items }, (_, index) => `${index}\n`).join(''));
      }),
      { numRuns: 300 },
    );
  });
});
