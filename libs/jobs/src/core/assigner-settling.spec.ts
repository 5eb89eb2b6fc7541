import { type Decision, type JobRecord, type OpenPart, limits } from '@das/contracts';
import { nodeId } from '@das/kernel';
import { sendsGoOut } from './assigner-plan.js';
import { Scenario, jobRecord } from './assigner.scenario.js';
import { partIdOf } from './part-id.js';

const hook = partIdOf('hook', 0, 1, 0);
const decided = (outcome: Decision['outcome']): Decision => ({
  ...{ id: `j-${outcome}`, outcome, decidedAt: 1 },
  ...(outcome === 'failed' ? { failure: { code: 'ITEM_RAISED', message: 'item 3 raised' } } : {}),
});
const settling = (record: JobRecord, outcome: Decision['outcome']): JobRecord => ({
  ...{ ...record, state: 'settling', decision: decided(outcome) },
});
const openHook = (change: Partial<OpenPart> = {}): OpenPart => ({
  ...{ part: hook, kind: 'hook', from: 0, to: 1, tries: 0, state: 'pending', lastAttempt: 0, live: [] },
  ...change,
});

/** Two nodes of one slot each; the job has just been decided. */
function decide(outcome: Decision['outcome'], items = 0) {
  const cluster = new Scenario({ lostMs: 1_000_000, graceMs: 1_000_000 });
  for (const node of ['node-2', 'node-1']) cluster.beat(node, 1);
  const record = jobRecord('j', items);
  const before = cluster.load(record);
  const { spec } = record;
  // Of a job with items something failed: its end is asked for all the same.
  cluster.state.jobs.get(spec.job)!.advancing = true;
  const after = cluster.do({
    ...{ kind: 'advanced', job: spec.job, outcome: 'advanced', record: settling(record, outcome), parts: [] },
  });
  return { cluster, record, before, after };
}

describe('a job that is decided', () => {
  it('runs its hook on the contact node, with the decision', () => {
    const { after } = decide('succeeded');
    expect(after.parts).toEqual([]);
    expect(after.attempts).toMatchObject([{ part: hook, attempt: 1, node: 'node-1' }]);
    expect(after.sends[0]?.assignments).toMatchObject([{ part: hook, kind: 'hook', decision: decided('succeeded') }]);
  });

  it('has the nodes drop what was open, and cuts no more of a job that failed', () => {
    const { before, after } = decide('failed', 1_000);
    expect(before.attempts).toHaveLength(2);
    const dropped = after.drops.flatMap(({ node, attempts }) => attempts.map(({ part }) => [node, part]));
    expect(dropped.sort()).toEqual(before.attempts.map(({ node, part }) => [node, part]).sort());
    expect([after.parts, after.cuts]).toEqual([[], []]);
    expect(after.attempts.map(({ part }) => part)).toEqual([hook]);
  });

  it('ends as decided once the hook is over, also when the hook failed for good', () => {
    for (const outcome of ['succeeded', 'failed'] as const) {
      for (const failed of [[], [{ code: 'ITEM_RAISED', message: 'hook failed' }]]) {
        const { cluster, after } = decide(outcome);
        const { advances } = cluster.finish(after.attempts[0]!, { failed });
        expect(advances).toEqual([
          { job: 'j', generation: 1, to: outcome, parts: [], failure: undefined, failed: expect.any(Number) },
        ]);
      }
    }
  });

  it('tries a hook that failed again, without a rest: its holder said itself that it is over', () => {
    const { cluster, after } = decide('succeeded');
    const again = openHook({ part: partIdOf('hook', 0, 1, 1), tries: 1, avoid: nodeId('node-1') });
    const next = cluster.finish(after.attempts[0]!, { children: [again] });
    expect(next.attempts).toMatchObject([{ part: again.part, node: 'node-2' }]);
    expect(next.advances).toEqual([]);
  });

  it('lets the hook of a lost node rest until its holder has surely stopped', () => {
    const { cluster } = decide('succeeded');
    const lost = cluster.do({ kind: 'nodeLost', node: nodeId('node-1'), why: 'dead' });
    expect(lost.ended).toMatchObject([{ part: hook, attempt: 1 }]);
    expect(lost.attempts).toEqual([]);
    expect(cluster.after(limits.hookRestMs - 1).do({ kind: 'tick' }).attempts).toEqual([]);
    expect(cluster.after(1).do({ kind: 'tick' }).attempts).toMatchObject([{ part: hook, attempt: 2, node: 'node-2' }]);
  });

  it('lets it rest for as long as the store says, when a new leader reads it', () => {
    const cluster = new Scenario();
    cluster.beat('node-2', 1);
    const part = openHook({ lastAttempt: 3, restMs: 700 });
    expect(cluster.load(settling(jobRecord('j', 0), 'failed'), {}, [part]).attempts).toEqual([]);
    expect(cluster.after(700).do({ kind: 'tick' }).attempts).toMatchObject([{ part: hook, attempt: 4 }]);
  });

  it('gives up a hook that no node can run, by the name of its part, and no other hook runs', () => {
    const { cluster, after } = decide('failed');
    let [attempt] = after.attempts;
    for (let round = 1; round < 20; round += 1) {
      const { advances } = cluster.finish(attempt!, { outcome: 'abandoned', why: 'no room' });
      expect(advances).toEqual([]);
      [attempt] = cluster.after(limits.hookRestMs).do({ kind: 'tick' }).attempts;
    }
    expect(cluster.finish(attempt!, { outcome: 'abandoned', why: 'no room' }).advances).toMatchObject([
      { to: 'failed', failure: { code: 'PART_GIVEN_BACK', part: hook } },
    ]);
  });

  it('gives it up also when the job is read again between its tries', () => {
    const { cluster, record, after } = decide('failed');
    let [attempt] = after.attempts;
    for (let round = 1; round < 20; round += 1) {
      cluster.finish(attempt!, { outcome: 'abandoned', why: 'no room' });
      cluster.do({ kind: 'stale', jobs: [record.spec.job] });
      cluster.after(limits.hookRestMs);
      [attempt] = cluster.load(settling(record, 'failed'), {}, [openHook({ lastAttempt: round })]).attempts;
    }
    expect(cluster.finish(attempt!, { outcome: 'abandoned', why: 'no room' }).advances).toMatchObject([
      { to: 'failed', failure: { code: 'PART_GIVEN_BACK', part: hook } },
    ]);
  });

  it('lets the hook rest from when its end is saved: the store counts from there', () => {
    const { cluster } = decide('succeeded');
    const lost = cluster.do({ kind: 'nodeLost', node: nodeId('node-1'), why: 'dead' });
    sendsGoOut(cluster.state, lost, cluster.after(1_500).now);
    expect(cluster.after(limits.hookRestMs - 1).do({ kind: 'tick' }).attempts).toEqual([]);
    expect(cluster.after(1).do({ kind: 'tick' }).attempts).toMatchObject([{ part: hook, attempt: 2 }]);
  });

  it('leaves its running hook alone when the answer that decided it comes late: the job is read again', () => {
    const { cluster, record, after } = decide('failed');
    const asked = { kind: 'advanced', job: record.spec.job, outcome: 'advanced', parts: [] } as const;
    for (const advancing of [false, true]) {
      cluster.state.jobs.get(record.spec.job)!.advancing = advancing;
      const { drops, loads, attempts } = cluster.do({ ...asked, record: settling(record, 'failed') });
      expect({ drops, loads, attempts }).toEqual({ drops: [], loads: ['j'], attempts: [] });
    }
    const running = after.attempts.map(({ attempt, node }) => ({ attempt, node }));
    const read = cluster.load(settling(record, 'failed'), {}, [openHook({ lastAttempt: 1, live: running })]);
    expect([read.attempts, read.ended, read.drops]).toEqual([[], [], []]);
  });

  it('is read again when the answer that decided it was lost', () => {
    const cluster = new Scenario();
    const record = jobRecord('j', 0);
    cluster.load(record);
    cluster.do({ kind: 'advanced', job: record.spec.job, outcome: 'decided', parts: [] });
    cluster.beat('node-1', 1);
    expect(cluster.load(settling(record, 'failed'), {}, [openHook()]).attempts).toMatchObject([{ part: hook }]);
    const poll = new Scenario();
    poll.beat('node-1', 1);
    expect(poll.load(jobRecord('k', 10)).attempts).toHaveLength(1);
    const other = settling(jobRecord('k', 10), 'failed');
    expect(poll.load(other, { open: 1 }, undefined).loads).toEqual(['k']);
  });
});
