import { nodeId } from '@das/kernel';
import type { AttemptFinished, OpenPart } from '@das/contracts';
import { mustSave } from './assigner-plan.js';
import { partIdOf } from './part-id.js';
import { Scenario, beatOf, jobRecord } from './assigner.scenario.js';

const node2 = nodeId('node-2');
const openMap = (from: number, to: number, overrides: Partial<OpenPart> = {}): OpenPart => ({
  part: partIdOf('map', from, to, overrides.tries ?? 0),
  kind: 'map',
  from,
  to,
  tries: 0,
  state: 'pending',
  lastAttempt: 0,
  live: [],
  ...overrides,
});
const functions = (...names: string[]) => ({
  split: names.includes('split'),
  map: names.includes('map'),
  combine: false,
  reduce: names.includes('reduce'),
  gather: names.includes('gather'),
  main: names.includes('main'),
});

describe('assigning', () => {
  it('cuts a part for every free slot, saves it with its attempt, and sends it', () => {
    const cluster = new Scenario();
    cluster.beat('node-1', 2);
    const planned = cluster.load(jobRecord('j', 1_000));
    expect(planned.parts.map(({ part }) => part)).toEqual(['map:0-16', 'map:16-32']);
    expect(planned.cuts).toEqual([{ job: 'j', generation: 1, cut: 32 }]);
    expect(planned.attempts.map(({ part, attempt, node }) => [part, attempt, node])).toEqual([
      ['map:0-16', 1, 'node-1'],
      ['map:16-32', 1, 'node-1'],
    ]);
    expect(planned.sends[0]?.assignments).toHaveLength(2);
  });

  it('shares parts between nodes by their free slots', () => {
    const cluster = new Scenario();
    cluster.beat('node-1', 2);
    cluster.beat('node-2', 2);
    const nodes = cluster.load(jobRecord('j', 1_000)).attempts.map(({ node }) => node);
    expect(nodes.sort()).toEqual(['node-1', 'node-1', 'node-2', 'node-2']);
  });

  it('queues short parts behind the running one, and long ones not', () => {
    const short = new Scenario();
    short.beat('node-1', 1);
    const [first] = short.load(jobRecord('j', 30, { spec: { limits: limitsWith({ itemsPerPart: 1 }) } })).attempts;
    expect(short.finish(first!, { busyMs: 5 }).attempts).toHaveLength(9);
    const long = new Scenario();
    long.beat('node-1', 1);
    const [slow] = long.load(jobRecord('j', 30, { spec: { limits: limitsWith({ itemsPerPart: 1 }) } })).attempts;
    expect(long.finish(slow!, { busyMs: 500 }).attempts).toHaveLength(1);
  });

  it('gives jobs slots by priority', () => {
    const cluster = new Scenario();
    cluster.load(jobRecord('low', 1_000, { spec: { limits: limitsWith({ priority: 100 }) } }));
    cluster.load(jobRecord('high', 1_000, { spec: { limits: limitsWith({ priority: 300 }) } }));
    const jobs = cluster.beat('node-1', 4).attempts.map(({ job }) => job);
    expect(jobs.filter((job) => job === 'high')).toHaveLength(3);
  });

  it('keeps a job within its concurrency', () => {
    const cluster = new Scenario();
    cluster.beat('node-1', 8);
    const planned = cluster.load(jobRecord('j', 1_000, { spec: { limits: limitsWith({ concurrency: 3 }) } }));
    expect(planned.attempts).toHaveLength(3);
  });

  it('prefers another node for a retry, but takes the same one when there is no other', () => {
    const retry = openMap(5, 6, { tries: 1, avoid: node2 });
    const alone = new Scenario();
    alone.beat('node-2', 1);
    expect(alone.load(jobRecord('j', 6, { cut: 6 }), {}, [retry]).attempts[0]?.node).toBe('node-2');
    const two = new Scenario();
    two.beat('node-2', 4);
    two.beat('node-1', 1);
    expect(two.load(jobRecord('j', 6, { cut: 6 }), {}, [retry]).attempts[0]?.node).toBe('node-1');
  });

  it('places a step on the contact node first, elsewhere when it is full', () => {
    const main = jobRecord('j', 0, { spec: { functions: functions('main'), input: { kind: 'none' } } });
    const cluster = new Scenario();
    cluster.beat('node-2', 8);
    cluster.beat('node-1', 1);
    expect(cluster.load(main).attempts).toMatchObject([{ part: 'main:0-1', node: 'node-1' }]);
    const full = jobRecord('k', 0, { spec: { functions: functions('main'), input: { kind: 'none' } } });
    expect(cluster.load(full).attempts).toMatchObject([{ part: 'main:0-1', node: 'node-2' }]);
  });

  it('gives nothing to a draining node and takes back what it refused', () => {
    const cluster = new Scenario();
    cluster.beat('node-1', 1);
    const [attempt] = cluster.load(jobRecord('j', 100)).attempts;
    const { node, ...ref } = attempt!;
    const planned = cluster.do({ kind: 'refused', node, attempts: [ref], why: 'draining' });
    expect(planned.ended).toEqual([{ ...ref, why: 'draining' }]);
    expect(planned.attempts).toEqual([]);
    expect(cluster.beat('node-2', 1).attempts).toMatchObject([{ part: ref.part, attempt: 2, node: 'node-2' }]);
  });

  it('bounds one batch', () => {
    const cluster = new Scenario({ batchMax: 3 });
    cluster.beat('node-1', 100);
    expect(cluster.load(jobRecord('j', 1_000)).attempts).toHaveLength(3);
  });

  it('saves nothing when there is nothing to decide', () => {
    expect(mustSave(new Scenario().do({ kind: 'tick' }))).toBe(false);
  });
});

describe('losing nodes and messages', () => {
  it('ends the attempts of a silent node and gives their parts to another', () => {
    const cluster = new Scenario();
    cluster.beat('node-1', 1);
    const [attempt] = cluster.load(jobRecord('j', 16, { spec: { limits: limitsWith({ itemsPerPart: 16 }) } })).attempts;
    for (let half = 0; half < 6; half += 1) {
      cluster.after(500).do({ kind: 'tick' });
      cluster.beat('node-2', 1);
    }
    const planned = cluster.after(500).do({ kind: 'tick' });
    expect(planned.ended).toMatchObject([{ part: 'map:0-16', attempt: 1 }]);
    expect(planned.attempts).toMatchObject([{ part: 'map:0-16', attempt: 2, node: 'node-2' }]);
    expect(planned.notes[0]?.message).toContain('node-1');
    expect(cluster.finish(attempt!, { outcome: 'staleAttempt' }).attempts).toEqual([]);
  });

  it('judges nobody while it was deaf, and one timeout after', () => {
    const cluster = new Scenario();
    cluster.beat('node-1', 1);
    cluster.load(jobRecord('j', 16));
    cluster.after(4_000).do({ kind: 'connection', up: false });
    expect(cluster.do({ kind: 'tick' }).ended).toEqual([]);
    cluster.after(60_000).do({ kind: 'connection', up: true });
    for (let tick = 0; tick < 5; tick += 1) expect(cluster.after(500).do({ kind: 'tick' }).ended).toEqual([]);
    for (let tick = 0; tick < 2; tick += 1) cluster.after(500).do({ kind: 'tick' });
    expect(cluster.plans.at(-1)?.ended ?? []).toHaveLength(1);
  });

  it('judges nobody right after a pause of its own', () => {
    const cluster = new Scenario();
    cluster.beat('node-1', 1);
    cluster.load(jobRecord('j', 16));
    cluster.after(10_000);
    expect(cluster.do({ kind: 'tick' }).ended).toEqual([]);
  });

  it('judges by when its timer fired: ticks that waited for a slow save are no pause', () => {
    const cluster = new Scenario();
    cluster.beat('node-1', 1);
    cluster.load(jobRecord('j', 16));
    const ended = [];
    for (let save = 0; save < 3; save += 1) {
      const began = cluster.now;
      cluster.after(2_000);
      for (const late of [500, 1_000, 1_500, 2_000])
        ended.push(...cluster.do({ kind: 'tick', at: began + late }).ended);
    }
    expect(ended).toHaveLength(1);
  });

  it('takes the word of the membership at once', () => {
    const cluster = new Scenario();
    cluster.beat('node-2', 1);
    cluster.load(jobRecord('j', 16));
    const planned = cluster.do({ kind: 'nodeLost', node: node2, why: 'dead' });
    expect(planned.ended).toMatchObject([{ attempt: 1, why: 'dead' }]);
  });

  it('takes it of nodes whose work is read only afterwards, until they beat again', () => {
    const cluster = new Scenario();
    cluster.beat('node-1', 1);
    cluster.do({ kind: 'nodeLost', node: node2, why: 'dead' });
    const held = openMap(0, 16, { lastAttempt: 3, live: [{ attempt: 3, node: node2 }] });
    const record = jobRecord('j', 32, { cut: 16, spec: { limits: limitsWith({ itemsPerPart: 16 }) } });
    const planned = cluster.load(record, {}, [held]);
    expect(planned.ended).toMatchObject([{ part: 'map:0-16', attempt: 3, why: 'dead' }]);
    expect(planned.attempts).toMatchObject([{ part: 'map:0-16', attempt: 4, node: 'node-1' }]);
    expect(cluster.state.jobs.get(record.spec.job)?.liveAttempts).toBe(1);
    cluster.beat('node-2', 1);
    const again = cluster.load(jobRecord('k', 16, { cut: 16 }), {}, [held]);
    expect(again.ended).toEqual([]);
  });

  it('remembers no more lost nodes than a cluster can have', () => {
    const cluster = new Scenario();
    for (let node = 0; node < 3_000; node += 1)
      cluster.do({ kind: 'nodeLost', node: nodeId(`stranger-${node}`), why: 'left' });
    expect(cluster.state.lost.size).toBe(1_000);
    expect(cluster.state.lost.has(nodeId('stranger-2999'))).toBe(true);
  });

  it('sends again, with the same number, what a node lacks, and ends it when it lacks it still', () => {
    const cluster = new Scenario();
    cluster.beat('node-1', 1);
    cluster.load(jobRecord('j', 16, { spec: { limits: limitsWith({ itemsPerPart: 16 }) } }));
    expect(cluster.after(1_000).beat('node-1', 1, []).sends).toEqual([]);
    const resent = cluster.after(1_000).beat('node-1', 1, []);
    expect(resent.sends[0]?.assignments).toMatchObject([{ part: 'map:0-16', attempt: 1 }]);
    expect(mustSave(resent)).toBe(false);
    cluster.after(1_000).beat('node-1', 1, []);
    const ended = cluster.after(1_000).beat('node-1', 1, []);
    expect(ended.ended).toMatchObject([{ part: 'map:0-16', attempt: 1 }]);
    expect(ended.attempts).toMatchObject([{ part: 'map:0-16', attempt: 2 }]);
  });

  it('leaves alone what a live node is holding', () => {
    const cluster = new Scenario();
    cluster.beat('node-1', 1);
    cluster.load(jobRecord('j', 16, { spec: { limits: limitsWith({ itemsPerPart: 16 }) } }));
    const held = cluster.holdings(nodeId('node-1')).map((attempt) => ({ ...attempt, phase: 'holding' as const }));
    for (let beat = 0; beat < 20; beat += 1) {
      expect(cluster.after(1_000).beat('node-1', 1, held).ended).toEqual([]);
    }
  });

  it('tells a node to drop what it should not hold', () => {
    const cluster = new Scenario();
    const stray = { job: jobRecord('x', 1).spec.job, generation: 1, part: partIdOf('map', 0, 1, 0), attempt: 1 };
    const held = [{ ...stray, phase: 'running' as const, items: 0, runningMs: 0 }];
    cluster.after(5_000);
    for (let beat = 0; beat < 5; beat += 1) expect(cluster.after(1_000).beat('node-1', 1, held).drops).toEqual([]);
    cluster.do({ kind: 'allLoaded' });
    const drops = [1, 2, 3].map(() => cluster.after(1_000).beat('node-1', 1, held).drops);
    expect(drops).toEqual([[], [], [{ node: 'node-1', attempts: [stray] }]]);
  });

  it('gives the part of an abandoned attempt to another at once', () => {
    const cluster = new Scenario();
    cluster.beat('node-1', 1);
    const [attempt] = cluster.load(jobRecord('j', 16, { spec: { limits: limitsWith({ itemsPerPart: 16 }) } })).attempts;
    const planned = cluster.finish(attempt!, { outcome: 'abandoned', why: 'stopping' });
    expect(planned.ended).toMatchObject([{ attempt: 1, why: 'stopping' }]);
    expect(planned.attempts).toMatchObject([{ attempt: 2 }]);
  });

  it('prefers another node for what was given back, and fails the job when nobody can run it', () => {
    const cluster = new Scenario({ givenBackMax: 3 });
    cluster.beat('node-1', 4);
    const record = jobRecord('j', 16, { spec: { limits: limitsWith({ itemsPerPart: 16 }) } });
    let [attempt] = cluster.load(record).attempts;
    cluster.beat('node-2', 1);
    const why = 'no space left on device '.repeat(20);
    const first = cluster.finish(attempt!, { outcome: 'abandoned', why });
    expect(first.attempts).toMatchObject([{ node: 'node-2', attempt: 2 }]);
    expect(first.ended[0]?.why).toHaveLength(200);
    [attempt] = first.attempts;
    [attempt] = cluster.finish(attempt!, { outcome: 'abandoned', why }).attempts;
    const last = cluster.finish(attempt!, { outcome: 'abandoned', why: 'no space' });
    expect(last.advances).toMatchObject([{ to: 'failed', failure: { code: 'PART_GIVEN_BACK', part: 'map:0-16' } }]);
  });

  it('learns from the heartbeat of a long part before it ends', () => {
    const cluster = new Scenario();
    cluster.beat('node-1', 1);
    cluster.load(jobRecord('j', 1_000));
    const held = cluster.holdings(nodeId('node-1')).map((attempt) => ({ ...attempt, items: 4, runningMs: 2_000 }));
    const next = cluster.after(1_000).do({ kind: 'beat', beat: beatOf(nodeId('node-1'), 2, held) });
    expect(next.parts).toMatchObject([{ part: 'map:16-18' }]);
  });
});

describe('reading again', () => {
  it('reads a job again when a save was stale, and does not lose what finished meanwhile', () => {
    const cluster = new Scenario();
    cluster.beat('node-1', 2);
    const record = jobRecord('j', 32, { spec: { limits: limitsWith({ itemsPerPart: 16 }) } });
    const [first, second] = cluster.load(record).attempts;
    expect(cluster.do({ kind: 'stale', jobs: [record.spec.job] }).loads).toEqual(['j']);
    const child = openMap(16, 17, { tries: 1 });
    cluster.finish(second!, { items: 15, children: [child] });
    const snapshot = [first!, second!].map(({ part, attempt, node }) =>
      openMap(part === 'map:0-16' ? 0 : 16, part === 'map:0-16' ? 16 : 32, {
        lastAttempt: 1,
        live: [{ attempt, node }],
      }),
    );
    const planned = cluster.load({ ...record, cut: 32 }, {}, snapshot);
    expect(planned.attempts).toMatchObject([{ part: 'map:16-17~1', attempt: 1 }]);
    expect([...cluster.state.jobs.get(record.spec.job)!.parts.keys()]).toEqual(['map:0-16', 'map:16-17~1']);
  });

  it('takes new items in without reading parts', () => {
    const cluster = new Scenario();
    cluster.beat('node-1', 4);
    const open = {
      state: 'splitting' as const,
      sealed: false,
      spec: { functions: functions('map', 'split'), input: { kind: 'split' as const } },
    };
    cluster.load(jobRecord('j', 0, open));
    expect(cluster.load(jobRecord('j', 10, open)).parts).not.toEqual([]);
  });

  it('does not fall back to what was read before it moved the job on', () => {
    const cluster = new Scenario();
    const record = jobRecord('j', 0, { spec: { functions: functions('map', 'gather') } });
    const [advance] = cluster.load(record).advances;
    const gathering = { ...record, state: 'gathering' as const };
    const parts = advance!.parts;
    cluster.do({ kind: 'advanced', job: record.spec.job, outcome: 'advanced', record: gathering, parts });
    cluster.load(record);
    expect(cluster.state.jobs.get(record.spec.job)?.record.state).toBe('gathering');
    const splitting = jobRecord('k', 10, {
      state: 'splitting',
      sealed: false,
      spec: { functions: functions('map', 'split'), input: { kind: 'split' } },
    });
    cluster.load(splitting);
    cluster.load({ ...splitting, items: 4 });
    expect(cluster.state.jobs.get(splitting.spec.job)?.record.items).toBe(10);
  });

  it('does not take an answer without parts for the reload it waits for', () => {
    const cluster = new Scenario();
    cluster.beat('node-1', 1);
    const record = jobRecord('j', 16, { spec: { limits: limitsWith({ itemsPerPart: 16 }) } });
    cluster.load(record);
    cluster.do({ kind: 'stale', jobs: [record.spec.job] });
    const counts = { committed: 0, failed: 0, open: 1 };
    const planned = cluster.do({ kind: 'jobLoaded', record, counts, parts: undefined, bytesPerItem: 0 });
    expect(planned.loads).toEqual(['j']);
    expect(cluster.holdings(nodeId('node-1'))).toHaveLength(1);
  });

  it('takes over failures that the store counted and nobody told it of', () => {
    const fatal = { code: 'SCRIPT_RAISED', message: 'gather raised' };
    const cluster = new Scenario();
    const record = jobRecord('j', 5, { cut: 5, sealed: false });
    cluster.load(record);
    expect(cluster.load(record, { failed: 1, fatal }).advances).toMatchObject([{ to: 'failed', failure: fatal }]);
  });

  it('reads a job again when the store has open parts that it lost sight of', () => {
    const cluster = new Scenario();
    const record = jobRecord('j', 5, { cut: 5, sealed: false });
    cluster.load(record);
    const lost = { kind: 'jobLoaded' as const, record, parts: undefined, bytesPerItem: 0 };
    expect(cluster.do({ ...lost, counts: { committed: 0, failed: 0, open: 2 } }).loads).toEqual(['j']);
  });

  it('tells the store how many failures it knows of when it moves a job on', () => {
    const record = jobRecord('j', 4, { cut: 4, spec: { limits: limitsWith({ tolerate: { items: 3 } }) } });
    expect(new Scenario().load(record, { failed: 2 }).advances).toMatchObject([{ to: 'succeeded', failed: 2 }]);
  });

  it('starts on a job that was just created without reading it, and knows it only once', () => {
    const cluster = new Scenario();
    cluster.beat('node-1', 2);
    const record = jobRecord('j', 100);
    expect(cluster.do({ kind: 'jobCreated', record }).attempts).toHaveLength(2);
    expect(cluster.do({ kind: 'jobCreated', record }).attempts).toEqual([]);
    expect(cluster.holdings(nodeId('node-1'))).toHaveLength(2);
  });

  it('drops everything of an older generation', () => {
    const cluster = new Scenario();
    cluster.beat('node-1', 1);
    cluster.load(jobRecord('j', 100));
    const planned = cluster.load(jobRecord('j', 50, { generation: 2 }));
    expect(planned.parts[0]).toMatchObject({ generation: 2, part: 'map:0-16' });
    expect(cluster.load(jobRecord('j', 50, { generation: 1 })).parts).toEqual([]);
  });

  it('forgets a job that ended, and says when no node runs it any more', () => {
    const cluster = new Scenario();
    cluster.beat('node-1', 1);
    const record = jobRecord('j', 100);
    cluster.load(record);
    cluster.do({ kind: 'jobGone', job: record.spec.job });
    expect(cluster.beat('node-1', 1, []).notes).toMatchObject([{ job: 'j' }]);
    expect(cluster.state.jobs.size).toBe(0);
  });
});

describe('late, doubled and foreign words', () => {
  const oneAttempt = () => {
    const cluster = new Scenario();
    cluster.beat('node-1', 1);
    const record = jobRecord('j', 16, { spec: { limits: limitsWith({ itemsPerPart: 16 }) } });
    const [attempt] = cluster.load(record).attempts;
    return { cluster, record, attempt: attempt! };
  };

  it('reads the job again when the store had ended the attempt', () => {
    const { cluster, attempt } = oneAttempt();
    expect(cluster.finish(attempt, { outcome: 'staleAttempt' }).loads).toEqual(['j']);
    const planned = cluster.do({ kind: 'tick' });
    expect([planned.attempts, planned.advances]).toEqual([[], []]);
  });

  it('reads the job again when the store says that it ended', () => {
    const { cluster, record, attempt } = oneAttempt();
    expect(cluster.finish(attempt, { outcome: 'jobEnded' }).loads).toEqual(['j']);
    cluster.load({ ...record, state: 'cancelled', finishedAt: 1 });
    expect(cluster.state.jobs.size).toBe(0);
  });

  it.each<[string, Partial<AttemptFinished>]>([
    [
      'of another generation',
      { attempt: { job: jobRecord('j', 1).spec.job, generation: 7, part: partIdOf('map', 0, 16, 0), attempt: 1 } },
    ],
    [
      'of a job it does not know',
      { attempt: { job: jobRecord('other', 1).spec.job, generation: 1, part: partIdOf('map', 0, 16, 0), attempt: 1 } },
    ],
    [
      'of an attempt it does not know',
      {
        outcome: 'abandoned',
        attempt: { job: jobRecord('j', 1).spec.job, generation: 1, part: partIdOf('map', 0, 16, 0), attempt: 9 },
      },
    ],
    [
      'of a part that is done',
      { attempt: { job: jobRecord('j', 1).spec.job, generation: 1, part: partIdOf('map', 3, 4, 1), attempt: 1 } },
    ],
  ])('ignores an attempt %s', (_what, told) => {
    const { cluster, attempt } = oneAttempt();
    const planned = cluster.finish(attempt, told);
    expect([mustSave(planned), planned.loads, planned.advances]).toEqual([false, [], []]);
    expect(cluster.holdings(nodeId('node-1'))).toHaveLength(1);
  });

  it('ignores a refusal by a node it does not know, and of attempts it no longer has there', () => {
    const { cluster, attempt } = oneAttempt();
    const { node, ...ref } = attempt;
    expect(cluster.do({ kind: 'refused', node: nodeId('gone'), attempts: [ref], why: 'x' }).ended).toEqual([]);
    expect(cluster.do({ kind: 'refused', node, attempts: [{ ...ref, attempt: 5 }], why: 'x' }).ended).toEqual([]);
  });

  it('ignores the answer to an advance of a job that is gone', () => {
    const { cluster, record } = oneAttempt();
    cluster.do({ kind: 'jobGone', job: record.spec.job });
    const job = record.spec.job;
    expect(cluster.do({ kind: 'advanced', job, outcome: 'advanced', parts: [] }).loads).toEqual([]);
    expect(cluster.do({ kind: 'stale', jobs: [job] }).loads).toEqual(['j']);
  });

  it('forgets a job that it advanced to its end', () => {
    const cluster = new Scenario();
    const record = jobRecord('j', 0);
    cluster.load(record);
    const ended = { ...record, state: 'succeeded' as const, finishedAt: 1 };
    cluster.do({ kind: 'advanced', job: record.spec.job, outcome: 'advanced', record: ended, parts: [] });
    expect(cluster.state.jobs.size).toBe(0);
  });

  it('takes a lost node as having stopped what ended', () => {
    const { cluster, record } = oneAttempt();
    cluster.do({ kind: 'jobGone', job: record.spec.job });
    expect(cluster.beat('node-2', 1, []).notes).toEqual([]);
    expect(cluster.do({ kind: 'nodeLost', node: nodeId('node-1'), why: 'dead' }).notes).toMatchObject([{ job: 'j' }]);
    expect(cluster.do({ kind: 'nodeLost', node: nodeId('node-1'), why: 'dead' }).notes).toEqual([]);
  });

  it('decides nothing for a job that is still being uploaded', () => {
    const planned = new Scenario().load(jobRecord('j', 5, { state: 'submitted', sealed: false }));
    expect([mustSave(planned), planned.advances]).toEqual([false, []]);
  });

  it('names the first of several failures and their number', () => {
    const counts = { failed: 3, firstFailure: { code: 'ITEM_RAISED', message: 'no', item: 1, hint: 'look.' } };
    const [advance] = new Scenario().load(jobRecord('j', 10, { cut: 5 }), counts).advances;
    expect(advance?.failure).toMatchObject({ item: 1, hint: '3 items failed; this is the first. look.' });
    const spec = { limits: limitsWith({ tolerate: { items: 2 } }) };
    const [beyond] = new Scenario().load(jobRecord('j', 10, { cut: 5, spec }), counts).advances;
    expect(beyond?.failure?.hint).toBe('3 items failed and 2 were tolerated; this is the first. look.');
    const [unknown] = new Scenario().load(jobRecord('j', 10, { cut: 5 }), { failed: 3 }).advances;
    expect(unknown?.failure?.message).toContain('3 items');
  });
});

describe('moving a job on', () => {
  /** Finishes every live attempt, and those that follow, but the ones named. */
  const finishAll = (cluster: Scenario, but = 'none') => {
    let last = cluster.plans.at(-1)!;
    for (let round = 0; round < 100; round += 1) {
      const nodes = [...cluster.state.nodes.values()];
      const live = nodes.flatMap((node) => [...node.live.values()]).filter(({ ref }) => !ref.part.startsWith(but));
      if (live.length === 0) break;
      for (const { ref, node } of live) last = cluster.finish({ ...ref, node });
    }
    return last;
  };

  it('succeeds when all items are committed', () => {
    const cluster = new Scenario();
    cluster.beat('node-1', 1);
    cluster.load(jobRecord('j', 10, { spec: { limits: limitsWith({ itemsPerPart: 10 }) } }));
    expect(finishAll(cluster).advances).toMatchObject([{ job: 'j', to: 'succeeded' }]);
  });

  it('succeeds at once with no items', () => {
    expect(new Scenario().load(jobRecord('j', 0)).advances).toMatchObject([{ to: 'succeeded' }]);
  });

  it('reduces every bucket, then merges, then succeeds', () => {
    const cluster = new Scenario();
    cluster.beat('node-1', 8);
    const record = jobRecord('j', 1, { spec: { functions: functions('map', 'reduce') } });
    cluster.load(record);
    const [advance] = finishAll(cluster).advances;
    expect(advance).toMatchObject({ to: 'gathering' });
    expect(advance?.parts.map(({ part }) => part)).toEqual(['reduce:0-1', 'reduce:1-2', 'reduce:2-3', 'reduce:3-4']);
    const gathering = { ...record, state: 'gathering' as const, cut: 1 };
    cluster.do({
      kind: 'advanced',
      job: record.spec.job,
      outcome: 'advanced',
      record: gathering,
      parts: advance!.parts,
    });
    expect(finishAll(cluster).advances).toMatchObject([{ to: 'succeeded' }]);
    expect(cluster.plans.flatMap((planned) => planned.parts.map(({ part }) => part))).toContain('gather:0-1');
  });

  it('goes on from `gathering` in a new office by asking the store whether `gather` is done', () => {
    const cluster = new Scenario();
    const record = jobRecord('j', 1, { cut: 1, state: 'gathering', spec: { functions: functions('map', 'gather') } });
    expect(cluster.load(record).parts).toMatchObject([{ part: 'gather:0-1' }]);
    cluster.do({ kind: 'stale', jobs: [record.spec.job] });
    expect(cluster.load(record).advances).toMatchObject([{ to: 'succeeded' }]);
  });

  it('runs split beside the maps and waits for its last block', () => {
    const cluster = new Scenario();
    cluster.beat('node-1', 4);
    const open = {
      state: 'splitting' as const,
      sealed: false,
      spec: { functions: functions('map', 'split'), input: { kind: 'split' as const } },
    };
    const [split] = cluster.load(jobRecord('j', 0, open)).attempts;
    expect(split?.part).toBe('split:0-1');
    cluster.load(jobRecord('j', 4, open));
    expect(finishAll(cluster, 'split').advances).toEqual([]);
    expect(cluster.finish(split!, { sealed: { items: 4 } }).advances).toMatchObject([{ to: 'succeeded' }]);
  });

  it('reads the job again when the store says that parts are open', () => {
    const cluster = new Scenario();
    const record = jobRecord('j', 0);
    cluster.load(record);
    const planned = cluster.do({ kind: 'advanced', job: record.spec.job, outcome: 'partsOpen', parts: [] });
    expect(planned.loads).toEqual(['j']);
  });
});

describe('failing', () => {
  const failure = (item: number) => ({ code: 'ITEM_RAISED', message: 'ValueError: no', item });

  it.each([
    ['with no tolerance, at the first failed item', { items: 0 }, 1, true],
    ['not while the number of failed items is tolerated', { items: 2 }, 2, false],
    ['beyond the number', { items: 2 }, 3, true],
    ['not within the share of all items', { share: 0.05 }, 5, false],
    ['beyond the share', { share: 0.05 }, 6, true],
  ])('fails %s', (_rule, tolerate, failed, fails) => {
    const cluster = new Scenario();
    cluster.beat('node-1', 1);
    const record = jobRecord('j', 100, { spec: { limits: limitsWith({ tolerate, itemsPerPart: 50 }) } });
    const [attempt] = cluster.load(record).attempts;
    const planned = cluster.finish(attempt!, {
      items: 50 - failed,
      failed: Array.from({ length: failed }, (_, i) => failure(i)),
    });
    expect(planned.advances.map(({ to }) => to)).toEqual(fails ? ['failed'] : []);
    if (fails) expect(planned.advances[0]?.failure).toMatchObject({ item: 0, message: 'ValueError: no' });
  });

  it('counts a failure once that the store told it of before its node did', () => {
    const cluster = new Scenario();
    cluster.beat('node-1', 1);
    const record = jobRecord('j', 100, { spec: { limits: limitsWith({ tolerate: { items: 1 }, itemsPerPart: 50 }) } });
    const [attempt] = cluster.load(record).attempts;
    const counts = { failed: 1, firstFailure: failure(0) };
    expect(cluster.load(record, counts).advances).toEqual([]);
    expect(cluster.finish(attempt!, { items: 49, failed: [failure(0)] }).advances).toEqual([]);
    expect(cluster.load(record, { ...counts, failed: 2 }).advances).toMatchObject([{ to: 'failed', failed: 2 }]);
  });

  it('judges a share only when the number of items is final', () => {
    const cluster = new Scenario();
    cluster.beat('node-1', 2);
    const open = {
      state: 'splitting' as const,
      sealed: false,
      spec: {
        functions: functions('map', 'split'),
        input: { kind: 'split' as const },
        limits: limitsWith({ tolerate: { share: 0.5 } }),
      },
    };
    const attempts = cluster.load(jobRecord('j', 2, open)).attempts;
    const map = attempts.find(({ part }) => part.startsWith('map'));
    expect(cluster.finish(map!, { items: 0, failed: [failure(0)] }).advances).toEqual([]);
  });

  it('fails at once when a part failed as a whole, or a step did', () => {
    for (const told of [{ fatal: failure(0) }, { kind: 'gather' as const, failed: [failure(0)] }]) {
      const cluster = new Scenario();
      cluster.beat('node-1', 1);
      const record = jobRecord('j', 100, { spec: { limits: limitsWith({ tolerate: { items: 50 } }) } });
      const [attempt] = cluster.load(record).attempts;
      expect(cluster.finish(attempt!, told).advances).toMatchObject([{ to: 'failed' }]);
    }
  });

  it('fails in a new office by what the store counted', () => {
    const planned = new Scenario().load(jobRecord('j', 10, { cut: 5 }), { failed: 1, firstFailure: failure(3) });
    expect(planned.advances).toMatchObject([{ to: 'failed', failure: { item: 3 } }]);
  });
});

function limitsWith(overrides: object) {
  return { ...jobRecord('x', 1).spec.limits, ...overrides };
}
