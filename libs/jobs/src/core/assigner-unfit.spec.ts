import { jobId, nodeId } from '@das/kernel';
import type { Plan } from './assigner-plan.js';
import { askAgainMs, awayMs } from './assigner-unfit.js';
import { Scenario, beatOf, jobRecord } from './assigner.scenario.js';

type Attempt = Plan['attempts'][number];

const limits = { priority: 1_000, retries: 2, tolerate: { items: 0 }, buckets: 4, itemsPerPart: 1 };
const lacking = (node: string) => ({ code: 'CODE_VENV', message: `no /v on ${node}`, hint: 'make it' });
const refusal = (node: string) => ({ outcome: 'abandoned' as const, why: 'no /v', unfit: lacking(node) });
/** Nothing is queued behind parts that take as long. */
const slow = { busyMs: 1_000 };
const refOf = ({ job, generation, part, attempt }: Attempt) => ({ job, generation, part, attempt });

describe('a job that some nodes cannot run', () => {
  let cluster: Scenario;
  beforeEach(() => {
    cluster = new Scenario();
    cluster.after(5_000);
  });
  const load = (items = 100, id = 'j', priority = limits.priority) =>
    cluster.load(jobRecord(id, items, { spec: { limits: { ...limits, priority } } }));

  it('goes to the others, and those are not asked again', () => {
    cluster.beat('node-1', 2);
    const [first, second] = load().attempts;
    cluster.beat('node-2', 2);
    const planned = cluster.finish(first!, refusal('node-1'));
    expect([planned.notes, planned.attempts]).toMatchObject([
      [{ message: 'node-1 cannot run this job: no /v on node-1' }],
      [],
    ]);
    expect(cluster.finish(second!, refusal('node-1')).notes).toEqual([]);
    for (let turn = 0; turn < 5; turn += 1) {
      const [running] = cluster.plans.flatMap(({ attempts }) => attempts).slice(-1);
      expect(cluster.finish(running!, { busyMs: 1_000 }).attempts).toMatchObject([{ node: 'node-2' }]);
    }
  });

  it('leaves the room that it cannot use to other jobs', () => {
    cluster.beat('node-1', 1);
    const [first] = load().attempts;
    cluster.beat('node-2', 1);
    cluster.finish(first!, refusal('node-1'));
    expect(load(10, 'other', 1).attempts).toMatchObject([{ job: 'other', node: 'node-1' }]);
  });

  it('fails in the words of all nodes when none can run it, however often parts may be given back', () => {
    cluster.beat('node-1', 1);
    cluster.beat('node-2', 1);
    const [first, second] = load().attempts;
    expect(cluster.finish(first!, refusal(first!.node)).advances).toEqual([]);
    expect(cluster.finish(second!, refusal(second!.node)).advances).toMatchObject([
      {
        to: 'failed',
        failure: {
          ...{ code: 'CODE_VENV', hint: 'make it' },
          message: 'no node can run this job: node-1: no /v on node-1; node-2: no /v on node-2',
        },
      },
    ]);
  });

  it('waits while a leader has not heard all nodes yet', () => {
    cluster = new Scenario();
    cluster.beat('node-1', 1);
    const [early] = load().attempts;
    expect(cluster.finish(early!, refusal('node-1')).advances).toEqual([]);
    expect(cluster.beat('node-2', 1).attempts).toMatchObject([{ node: 'node-2' }]);
  });

  it('is given to a node again that was started anew', () => {
    cluster.beat('node-1', 1);
    const [first] = load().attempts;
    cluster.beat('node-2', 1);
    cluster.finish(first!, refusal('node-1'));
    expect(cluster.beat('node-1', 1).attempts).toEqual([]);
    const anew = cluster.do({ kind: 'beat', beat: { ...beatOf(nodeId('node-1'), 1, []), epoch: 'e2' } });
    expect(anew.attempts).toMatchObject([{ node: 'node-1' }]);
  });

  it('does not forget it when it is read again', () => {
    cluster.beat('node-1', 1);
    const [first] = load().attempts;
    cluster.beat('node-2', 1);
    cluster.finish(first!, refusal('node-1'));
    cluster.do({ kind: 'stale', jobs: [first!.job] });
    load();
    expect(cluster.plans.slice(-1)[0]?.attempts.filter(({ node }) => node === 'node-1')).toEqual([]);
  });

  it('ends without its hook when no node can run that', () => {
    const decision = { id: 'd', outcome: 'succeeded' as const, decidedAt: 1 };
    cluster.beat('node-1', 1);
    const hook = { part: 'hook:0-1', kind: 'hook' as const, from: 0, to: 1, tries: 0, lastAttempt: 0, live: [] };
    const functions = { ...jobRecord('j', 1).spec.functions, on_success: true };
    const record = jobRecord('j', 1, { state: 'settling', cut: 1, decision, spec: { functions } });
    const [attempt] = cluster.load(record, {}, [hook as never]).attempts;
    expect(cluster.finish(attempt!, refusal('node-1')).advances).toEqual([]);
    expect(cluster.after(awayMs).beat('node-1', 1).advances).toMatchObject([
      { to: 'succeeded', failure: { code: 'CODE_VENV' } },
    ]);
  });
});

describe('a job that no node can run that is here', () => {
  let cluster: Scenario;
  beforeEach(() => {
    cluster = new Scenario();
    cluster.after(5_000);
  });
  const record = (overrides: Parameters<typeof jobRecord>[2] = {}) =>
    jobRecord('j', 100, { ...overrides, spec: { limits, ...overrides.spec } });
  const lose = (node: string) => cluster.do({ kind: 'nodeLost', node: nodeId(node), why: 'dead' });
  const failed = [{ to: 'failed', failure: { code: 'CODE_VENV' } }];
  /** A node refuses the job; the other runs it, if there is one. */
  const refusedBy = (node: string, other?: string) => {
    cluster.beat(node, 1);
    const [first] = cluster.load(record()).attempts;
    const [running] = other === undefined ? [] : cluster.beat(other, 1).attempts;
    return { running: running!, planned: cluster.finish(first!, refusal(node)) };
  };

  it('waits for one that is away, and says so once', () => {
    refusedBy('node-1', 'node-2');
    const message =
      'no node can run this job now; it waits 5 minutes for one that can (away: node-2): node-1: no /v on node-1';
    const { advances, notes } = lose('node-2');
    expect([advances, notes]).toMatchObject([[], [{}, { job: 'j', message }]]);
    const later = cluster.after(askAgainMs - 1).beat('node-1', 1);
    expect([later.advances, later.notes]).toEqual([[], []]);
    cluster.do({ kind: 'stale', jobs: [jobId('j')] });
    expect(cluster.load(record()).notes).toEqual([]);
    expect(cluster.beat('node-2', 1).attempts).toMatchObject([{ node: 'node-2' }]);
    expect(lose('node-2').notes.map((note) => note.message)).toContain(message);
  });

  it('fails once that is away for long, however often its loss is told', () => {
    refusedBy('node-1', 'node-2');
    cluster.after(1_000);
    lose('node-2');
    cluster.after(1_000);
    lose('node-2');
    const [last] = cluster.after(awayMs - 1_001).beat('node-1', 1).attempts;
    expect(cluster.finish(last!, refusal('node-1')).advances).toEqual([]);
    expect(cluster.after(1).beat('node-1', 1).advances).toMatchObject(failed);
  });

  it('fails at once when those that are away refused it too, or went long before', () => {
    const { running } = refusedBy('node-1', 'node-2');
    cluster.finish(running, refusal('node-2'));
    expect(cluster.plans.at(-1)?.advances).toMatchObject(failed);

    cluster = new Scenario();
    cluster.after(5_000);
    lose('node-3');
    cluster.after(awayMs);
    expect(refusedBy('node-1').planned.advances).toMatchObject(failed);

    cluster = new Scenario();
    cluster.after(5_000);
    const second = refusedBy('node-1', 'node-2').running;
    cluster.beat('node-3', 1);
    cluster.finish(second, refusal('node-2'));
    lose('node-2');
    const [third] = cluster.plans.flatMap(({ attempts }) => attempts).slice(-1);
    expect(cluster.finish(third!, refusal('node-3')).advances).toMatchObject(failed);
  });

  it('waits when it ran on a node that refuses it now, as long after it ran last', () => {
    const { running } = refusedBy('node-1', 'node-2');
    const [next] = cluster.finish(running, slow).attempts;
    cluster.after(1_000);
    cluster.beat('node-2', 1, [{ ...refOf(next!), phase: 'running', items: 0, runningMs: 900 }]);
    cluster.after(awayMs - 1);
    const refused = cluster.finish(next!, refusal('node-2'));
    expect([refused.advances, refused.notes]).toMatchObject([
      [],
      [{}, { message: expect.stringContaining('waits 5 minutes for one that can: node-1: ') }],
    ]);
    // A minute after it refused, node-1 is asked again.
    const [trial] = refused.attempts;
    cluster.after(1);
    expect(cluster.finish(trial!, refusal('node-1')).advances).toMatchObject(failed);
  });

  const functions = { ...jobRecord('j', 1).spec.functions, split: true };
  it('fails at once when nobody has split it yet', () => {
    cluster.beat('node-1', 1);
    const unsplit = record({ state: 'splitting', items: 0, sealed: false, spec: { functions } });
    cluster.load(unsplit);
    const [split] = cluster.plans.at(-1)!.attempts;
    expect(cluster.finish(split!, refusal('node-1')).advances).toMatchObject(failed);
  });

  it.each([
    ['has items that are committed', record(), { committed: 1 }],
    ['was split', record({ spec: { functions } }), {}],
    ['is past its maps', record({ state: 'gathering' }), {}],
  ])('waits with a leader that finds that it %s', (_, found, counts) => {
    const gather = { part: 'gather:0-1', kind: 'gather', from: 0, to: 1, tries: 0, lastAttempt: 0, live: [] };
    cluster.beat('node-1', 1);
    const parts = found.state === 'gathering' ? [gather as never] : [];
    const [first] = cluster.load(found, counts, parts).attempts;
    expect(cluster.finish(first!, refusal('node-1')).advances).toEqual([]);
    cluster.do({ kind: 'stale', jobs: [first!.job] });
    cluster.after(awayMs / 2);
    const [trial] = cluster.load(found, counts, parts).attempts;
    expect(cluster.finish(trial!, refusal('node-1')).advances).toEqual([]);
    expect(cluster.after(awayMs / 2).beat('node-1', 1).advances).toMatchObject(failed);
  });
});

describe('a node that refused a job and has older parts of it', () => {
  it('is asked by one part, also when it refuses those then', () => {
    const cluster = new Scenario();
    cluster.after(5_000).beat('node-1', 2);
    const [first, older] = cluster.load(jobRecord('j', 100, { spec: { limits } })).attempts;
    cluster.beat('node-2', 1);
    cluster.finish(first!, refusal('node-1'));
    expect(cluster.after(askAgainMs).beat('node-1', 2).attempts).toHaveLength(1);
    cluster.finish(older!, refusal('node-1'));
    expect(cluster.after(askAgainMs).beat('node-1', 2).attempts).toEqual([]);
  });
});

describe('a node that refused a job', () => {
  let cluster: Scenario;
  let running: Attempt;
  /** node-1 refused it, node-2 runs it; a minute is over. */
  beforeEach(() => {
    cluster = new Scenario();
    cluster.after(5_000);
    cluster.beat('node-1', 4);
    const [first, ...others] = cluster.load(jobRecord('j', 100, { spec: { limits } })).attempts;
    [running] = cluster.beat('node-2', 1).attempts as [Attempt];
    for (const each of [first!, ...others]) cluster.finish(each, refusal('node-1'));
    expect(cluster.after(askAgainMs - 1).beat('node-1', 4).attempts).toEqual([]);
    cluster.after(1);
  });

  it('is asked again by one part after a minute, while the others go on', () => {
    const [trial, ...more] = cluster.beat('node-1', 4).attempts;
    expect([trial, more]).toMatchObject([{ node: 'node-1' }, []]);
    expect(cluster.finish(running, slow).attempts).toMatchObject([{ node: 'node-2' }]);
    expect(cluster.after(askAgainMs).beat('node-1', 4).attempts).toEqual([]);
    const refused = cluster.finish(trial!, refusal('node-1'));
    expect([refused.notes, refused.attempts]).toEqual([[], []]);
    expect(cluster.after(askAgainMs - 1).beat('node-1', 4).attempts).toEqual([]);
    expect(cluster.after(1).beat('node-1', 4).attempts).toMatchObject([{ node: 'node-1' }]);
  });

  it('has all its room again once that runs', () => {
    const [trial] = cluster.beat('node-1', 4).attempts;
    const held = { ...refOf(trial!), items: 0 };
    expect(cluster.beat('node-1', 4, [{ ...held, phase: 'queued', runningMs: 0 }]).attempts).toEqual([]);
    expect(cluster.beat('node-1', 4, [{ ...held, phase: 'running', runningMs: 1 }]).attempts).toHaveLength(3);
  });

  it('has it too once that is committed, but not for what it was given before it refused', () => {
    const [trial] = cluster.beat('node-1', 4).attempts;
    cluster.finish(trial!, refusal('node-1'));
    cluster.after(askAgainMs);
    const [again] = cluster.beat('node-1', 4).attempts;
    cluster.finish(again!, slow);
    const given = cluster.plans.at(-1)!.attempts.filter(({ node }) => node === 'node-1');
    expect(given).toHaveLength(4);
    cluster.finish(given[0]!, refusal('node-1'));
    expect(cluster.finish(given[1]!, slow).attempts).toEqual([]);
  });

  it('is not asked sooner when the part comes back for another reason', () => {
    const [trial] = cluster.after(1).beat('node-1', 4).attempts;
    expect(cluster.finish(trial!, { outcome: 'abandoned' }).attempts).toEqual([]);
    expect(cluster.after(askAgainMs - 1).beat('node-1', 4).attempts).toEqual([]);
    expect(cluster.after(1).beat('node-1', 4).attempts).toHaveLength(1);
  });

  it('is not asked while one that can has a free slot', () => {
    expect(cluster.beat('node-2', 2).attempts.map(({ node }) => node)).toEqual(['node-2', 'node-1']);
  });

  it('is not asked for a step because people look there, while another can take it', () => {
    const gather = { part: 'gather:0-1', kind: 'gather', from: 0, to: 1, tries: 0, lastAttempt: 0, live: [] };
    cluster.do({ kind: 'stale', jobs: [running.job] });
    cluster.beat('node-2', 1);
    const gathering = jobRecord('j', 100, { state: 'gathering', cut: 100, spec: { limits } });
    expect(cluster.load(gathering, {}, [gather as never]).attempts).toMatchObject([{ node: 'node-2' }]);
  });

  it('is judged when that part is back', () => {
    const [trial] = cluster.beat('node-1', 4).attempts;
    cluster.do({ kind: 'nodeLost', node: nodeId('node-2'), why: 'dead' });
    expect(cluster.after(awayMs).beat('node-1', 4).advances).toEqual([]);
    expect(cluster.finish(trial!, refusal('node-1')).advances).toMatchObject([{ to: 'failed' }]);
  });
});
