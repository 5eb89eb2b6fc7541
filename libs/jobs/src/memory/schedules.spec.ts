import { jobRecord } from '../core/assigner.scenario.js';
import { ClusterSim } from './cluster.sim.js';

/* The concrete schedules of the rules that keep it right, one each, on virtual time. Those that need two real transactions at once are in the store's contract suite. */

const limits = { ...jobRecord('x', 1).spec.limits, itemsPerPart: 4 };

async function twoParts(): Promise<ClusterSim> {
  const sim = new ClusterSim(jobRecord('j', 8, { spec: { limits } }));
  await sim.start();
  return sim;
}
const attemptsOf = async (sim: ClusterSim) => {
  const { parts } = await sim.store.listParts({ job: sim.record.spec.job, limit: 100 });
  return parts.map(({ part, state, attempts }) => [
    part,
    state,
    attempts.map(({ attempt, state: is }) => `${attempt} ${is}`),
  ]);
};
const stateOf = async (sim: ClusterSim) => (await sim.store.getJob({ job: sim.record.spec.job })).job?.state;
const beatsUntil = async (sim: ClusterSim, done: () => boolean, bound = 10) => {
  for (let round = 0; round < bound && !done(); round += 1) await sim.beats();
};

it('sends what a leader saved and did not live to send, with the same number', async () => {
  const sim = await twoParts();
  sim.loseSends = true;
  await sim.beats();
  const saved = await attemptsOf(sim);
  expect(saved).toEqual([
    ['map:0-4', 'assigned', ['1 live']],
    ['map:4-8', 'assigned', ['1 live']],
  ]);
  sim.loseSends = false;
  await sim.elect();
  await beatsUntil(sim, () => [...sim.held.values()].some(({ size }) => size > 0));
  const held = [...sim.held.values()].flatMap((node) => [...node.keys()]).sort();
  expect(held).toEqual(['map:0-4/1', 'map:4-8/1']);
  expect(await attemptsOf(sim)).toEqual(saved);
});

it('takes a commit whose answer was lost as done, and runs nothing again', async () => {
  const sim = await twoParts();
  await sim.beats();
  for (const name of sim.names) await sim.run(name, 'answerLost');
  for (const name of sim.names) await sim.run(name, 'answerLost');
  expect(await stateOf(sim)).toBe('running');
  for (let round = 0; round < 8; round += 1) await sim.beats();
  expect(await stateOf(sim)).toBe('succeeded');
  expect(await attemptsOf(sim)).toEqual([
    ['map:0-4', 'committed', ['1 committed']],
    ['map:4-8', 'committed', ['1 committed']],
  ]);
});

it('refuses the commit of an attempt that was ended, whichever term assigned it', async () => {
  const sim = await twoParts();
  await sim.beats();
  const [victim] = sim.names.filter((name) => sim.held.get(name)!.size > 0);
  const kept = new Map(sim.held.get(victim!));
  sim.kill(victim!);
  for (let round = 0; round < 6; round += 1) await sim.beats();
  sim.alive.add(victim!);
  for (const [key, assignment] of kept) sim.held.get(victim!)!.set(key, assignment);
  const before = await attemptsOf(sim);
  await sim.run(victim!, 'clean');
  expect(await attemptsOf(sim)).toEqual(before);
});

it('accepts the commit of a live attempt under a newer term', async () => {
  const sim = await twoParts();
  await sim.beats();
  await sim.elect();
  for (const name of sim.names) await sim.run(name, 'clean');
  for (const name of sim.names) await sim.run(name, 'clean');
  expect((await attemptsOf(sim)).map(([, state]) => state)).toEqual(['committed', 'committed']);
});

it('refuses the acts of a term that is over', async () => {
  const sim = await twoParts();
  await sim.beats();
  const { job } = sim.record.spec;
  const act = { term: 1, leader: sim.names[0]!, actSeq: 99 };
  await sim.elect();
  const ended = { job, generation: 1, part: 'map:0-4' as never, attempt: 1, why: 'the old leader thinks so' };
  const saved = await sim.store.saveActs({ act, parts: [], cuts: [], attempts: [], ended: [ended] });
  expect(saved).toMatchObject({ outcome: 'staleTerm', term: 2 });
  const failed = await sim.store.advanceJob({ act, job, generation: 1, to: 'failed', parts: [] });
  expect(failed.outcome).toBe('staleTerm');
  expect(await stateOf(sim)).toBe('running');
});
