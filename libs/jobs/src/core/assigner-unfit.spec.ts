import { nodeId } from '@das/kernel';
import { Scenario, beatOf, jobRecord } from './assigner.scenario.js';

const limits = { retries: 2, tolerate: { items: 0 }, buckets: 4, itemsPerPart: 1 };
const lacking = (node: string) => ({ code: 'CODE_VENV', message: `no /v on ${node}`, hint: 'make it' });
const refusal = (node: string) => ({ outcome: 'abandoned' as const, why: 'no /v', unfit: lacking(node) });

describe('a job that some nodes cannot run', () => {
  let cluster: Scenario;
  beforeEach(() => {
    cluster = new Scenario();
    cluster.after(5_000);
  });
  const load = (items = 100, id = 'j', priority = 1_000) =>
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

  it('fails when the last node that could is lost, and waits while a leader has not heard all nodes yet', () => {
    cluster.beat('node-1', 1);
    const [first] = load().attempts;
    cluster.beat('node-2', 1);
    cluster.finish(first!, refusal('node-1'));
    const lost = cluster.do({ kind: 'nodeLost', node: nodeId('node-2'), why: 'dead' });
    expect(lost.advances).toMatchObject([{ to: 'failed', failure: { code: 'CODE_VENV' } }]);

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
    expect(cluster.finish(attempt!, refusal('node-1')).advances).toMatchObject([
      { to: 'succeeded', failure: { code: 'CODE_VENV' } },
    ]);
  });
});
