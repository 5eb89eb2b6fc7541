import { partIdOf } from './part-id.js';
import { Scenario, jobRecord } from './assigner.scenario.js';

const spec = (step: 'map' | 'main' | 'gather' | 'reduce' | 'on_success') => ({
  functions: {
    ...{ split: false, map: step !== 'main', combine: false, reduce: false, gather: false, main: step === 'main' },
    [step]: true,
  },
});
/** Whether the parts that are sent are said to be the last of their job. */
const lastOf = (cluster: Scenario): (boolean | undefined)[] =>
  cluster.plans.flatMap(({ sends }) => sends.flatMap(({ assignments }) => assignments.map(({ last }) => last)));
const withNode = (slots = 4): Scenario => {
  const cluster = new Scenario();
  cluster.beat('node-1', slots);
  return cluster;
};

describe('items that came with the job', () => {
  const limits = { ...jobRecord('j', 2).spec.limits, itemsPerPart: 1 };
  const record = jobRecord('j', 2, { spec: { limits, input: { kind: 'blocks' } } });
  const linesSent = (lines: string) => {
    const cluster = withNode(2);
    cluster.do({ kind: 'jobCreated', record, lines });
    return cluster.plans.flatMap(({ sends }) =>
      sends.flatMap(({ assignments }) => assignments.map((each) => each.lines)),
    );
  };

  it('go out with the parts that they are of', () => {
    expect(linesSent('1\n{"a": 2}\n')).toEqual(['1\n', '{"a": 2}\n']);
  });

  it.each(['', '1\n', '1\n2\n3\n'])('are left to who fetches them when they are not all: %j', (lines) => {
    expect(linesSent(lines)).toEqual([undefined, undefined]);
  });
});

describe('the last part of a job', () => {
  it('is told to be so: its commit may end the job', () => {
    const cluster = withNode(1);
    cluster.load(jobRecord('j', 1));
    expect(lastOf(cluster)).toEqual([true]);
  });

  it('is not told while others are open or uncut', () => {
    const cluster = withNode(1);
    const limits = { ...jobRecord('j', 2).spec.limits, itemsPerPart: 1 };
    const record = jobRecord('j', 2, { spec: { limits } });
    const [first] = cluster.load(record).attempts;
    expect(lastOf(cluster)).toEqual([undefined]);
    cluster.finish(first!);
    expect(lastOf(cluster)).toEqual([undefined, true]);
    const two = withNode(2);
    two.load(record);
    expect(lastOf(two)).toEqual([undefined, undefined]);
  });

  it.each([
    ['input that still comes', jobRecord('j', 1, { sealed: false, state: 'splitting' })],
    ['a gather', jobRecord('j', 1, { spec: spec('gather') })],
    ['a reduce', jobRecord('j', 1, { spec: spec('reduce') })],
    ['a hook', jobRecord('j', 1, { spec: spec('on_success') })],
  ])('is not the last before %s', (_, record) => {
    const cluster = withNode(1);
    cluster.load(record);
    expect(lastOf(cluster)).not.toContain(true);
  });

  it.each(['gather', 'main'] as const)('may be a step: %s', (kind) => {
    const cluster = withNode();
    const input = kind === 'main' ? { input: { kind: 'none' as const } } : {};
    const step = { part: partIdOf(kind, 0, 1, 0), kind, from: 0, to: 1, tries: 0, lastAttempt: 0, live: [] };
    const record = jobRecord('j', 0, {
      state: kind === 'gather' ? 'gathering' : 'running',
      spec: { ...spec(kind), ...input },
    });
    cluster.load(record, {}, [{ ...step, state: 'pending' }]);
    expect(lastOf(cluster)).toEqual([true]);
  });

  it('ends the job here, too: it is not moved on once more, and nobody waits for its nodes', () => {
    const cluster = withNode(1);
    const [attempt] = cluster.load(jobRecord('j', 1)).attempts;
    const planned = cluster.finish(attempt!, { ended: true });
    expect([planned.advances, cluster.state.jobs.size, cluster.state.stopping.size]).toEqual([[], 0, 0]);
  });

  it('ends it also when the end is heard before the commit', () => {
    const cluster = withNode(1);
    const record = jobRecord('j', 1);
    const [attempt] = cluster.load(record).attempts;
    cluster.do({ kind: 'jobGone', job: record.spec.job, succeeded: true });
    expect(cluster.finish(attempt!, { ended: true }).loads).toEqual([]);
    expect([cluster.state.stopping.size, cluster.beat('node-1', 4, []).notes]).toEqual([0, []]);
  });
});
