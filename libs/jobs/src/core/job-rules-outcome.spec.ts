import { type Failure, type JobState, limits } from '@das/contracts';
import { type PartId, jobId, nodeId } from '@das/kernel';
import { type AdvanceRequest, type PartTally, decideAdvance, decideCancel } from './job-rules-advance.js';
import { hookPart, mayStart, restOf } from './job-rules-outcome.js';
import { decideSave } from './job-rules-save.js';
import { type JobFacts, type StoredAttempt, type StoredPart, freshPart, withAttempts } from './job-rules.js';
import { partIdOf } from './part-id.js';

const job = jobId('job-1');
const node = nodeId('node-1');
const act = { term: 1, leader: node, actSeq: 0 };
const now = 1_000_000;
const why: Failure = { code: 'ITEM_RAISED', message: 'item 3 raised', item: 3 };
const ofHook: Failure = { code: 'PART_GIVEN_BACK', message: 'nobody can', part: partIdOf('hook', 0, 1, 0) };
const facts = (change: Partial<JobFacts> = {}): JobFacts => ({
  ...{ state: 'running', generation: 1, sealed: true, items: 10, cut: 10, retries: 1, reduces: false },
  ...{ onSuccess: true, onFailure: true },
  ...change,
});
const tally = (change: Partial<PartTally> = {}): PartTally => ({ open: 0, failed: 0, fatal: false, ...change });
const ask = (to: JobState, failure?: Failure): AdvanceRequest => ({ act, job, generation: 1, to, parts: [], failure });
const settled = (outcome: 'succeeded' | 'failed') => {
  const { decision } = decideAdvance(facts(), tally(), ask(outcome, outcome === 'failed' ? why : undefined), now);
  return facts({ state: 'settling', decision });
};

describe('the decision', () => {
  it('is made where an end with a hook is asked for, with the hook as the only part', () => {
    expect(decideAdvance(facts(), tally(), ask('succeeded'), now)).toEqual({
      outcome: 'advanced',
      to: 'settling',
      parts: [hookPart()],
      decision: { id: 'job-1-succeeded', outcome: 'succeeded', decidedAt: now },
    });
    expect(decideAdvance(facts(), tally({ open: 1 }), ask('failed', why), now).decision).toEqual({
      ...{ id: 'job-1-failed', outcome: 'failed', failure: why, decidedAt: now },
    });
  });

  it('is not made for an end without a hook, nor before all parts are committed', () => {
    const none = facts({ onSuccess: false });
    expect(decideAdvance(none, tally(), ask('succeeded'), now)).toMatchObject({ to: 'succeeded', parts: [] });
    expect(decideAdvance(none, tally(), ask('succeeded'), now).decision).toBeUndefined();
    const other = facts({ onFailure: false });
    expect(decideAdvance(other, tally(), ask('failed', why), now)).toMatchObject({ to: 'failed', failure: why });
    for (const given of [{ open: 1 }, { fatal: true }] as const)
      expect(decideAdvance(facts(), tally(given), ask('succeeded'), now)).toEqual({ outcome: 'partsOpen', parts: [] });
    expect(decideAdvance(facts({ cut: 9 }), tally(), ask('succeeded'), now).outcome).toBe('partsOpen');
  });

  it('is never changed: every later end equals it, and waits for the hook', () => {
    for (const outcome of ['succeeded', 'failed'] as const) {
      const about = settled(outcome);
      const other = outcome === 'succeeded' ? 'failed' : 'succeeded';
      for (const given of [tally(), tally({ open: 1 })])
        expect(decideAdvance(about, given, ask(other, why), now)).toEqual({ outcome: 'decided', parts: [] });
      expect(decideAdvance(about, tally(), ask('gathering'), now).outcome).toBe('decided');
      expect(decideAdvance(about, tally({ open: 1 }), ask(outcome), now).outcome).toBe('partsOpen');
      expect(decideAdvance(about, tally({ fatal: true, failed: 7 }), ask(outcome), now)).toMatchObject({
        ...{ outcome: 'advanced', to: outcome, parts: [] },
        failure: outcome === 'failed' ? why : undefined,
      });
    }
  });

  it('asked for twice, by a message that came twice, does not end the hook', () => {
    expect(decideAdvance(settled('failed'), tally({ open: 1 }), ask('failed', why), now).outcome).toBe('partsOpen');
  });

  it('stays when the hook fails or is given up, and the job says so', () => {
    const hook: Failure = { code: 'ITEM_RAISED', message: 'on_failure failed' };
    const about = settled('failed');
    expect(decideAdvance(about, tally({ hook }), ask('failed'), now)).toMatchObject({
      ...{ to: 'failed', failure: why, hookFailure: hook },
    });
    expect(decideAdvance(about, tally({ open: 1 }), ask('failed', ofHook), now)).toMatchObject({
      ...{ to: 'failed', failure: why, hookFailure: ofHook },
    });
    expect(decideAdvance(about, tally({ open: 1 }), ask('succeeded', ofHook), now).outcome).toBe('decided');
  });

  it('comes too late for a cancel', () => {
    expect(decideCancel('settling')).toBe('decided');
    expect(decideAdvance(facts({ state: 'cancelled' }), tally(), ask('succeeded'), now).outcome).toBe('jobEnded');
  });
});

describe('what a leader may save of a settling job', () => {
  const hook = hookPart();
  const save = (parts: readonly StoredPart[], request: object, about = settled('failed')) => {
    const stored = new Map<PartId, StoredPart>(parts.map((part) => [part.part, part]));
    const whole = { act, parts: [], cuts: [], attempts: [], ended: [], ...request };
    return decideSave({ id: job, job: about, parts: stored, request: whole, now });
  };
  const attempt = (number: number) => ({ job, generation: 1, part: hook.part, attempt: number, node });
  const newPart = (part: StoredPart) => ({ job, generation: 1, ...part });

  it('is attempts of the hook, and nothing that is cut or made anew', () => {
    expect(save([hook], { attempts: [attempt(1)] }).updated).toMatchObject([{ part: hook.part, state: 'assigned' }]);
    const late = { parts: [newPart(freshPart('map', 6, 10, 0))], cuts: [{ job, generation: 1, cut: 10 }] };
    expect(save([hook], late, { ...settled('failed'), cut: 6 })).toMatchObject({ inserted: [], cut: 6, stale: true });
    for (const part of [freshPart('gather', 0, 1, 0), freshPart('hook', 0, 1, 5)])
      expect(save([hook], { parts: [newPart(part)] })).toMatchObject({ inserted: [], stale: true });
  });

  it('is no hook before the decision', () => {
    expect(save([], { parts: [newPart(hook)] }, facts())).toMatchObject({ inserted: [], stale: true });
  });

  it('is never a second live attempt of the hook, nor one right after another ended', () => {
    const one: StoredAttempt = { attempt: 1, node, term: 1, state: 'live', startedAt: now - 10 };
    const live = withAttempts(hook, [one]);
    expect(save([live], { attempts: [attempt(2)] })).toMatchObject({ updated: [], stale: true });
    const endedAt = (at: number) => withAttempts(hook, [{ ...one, state: 'ended', endedAt: at, why: 'lost' }]);
    expect(save([endedAt(now - 100)], { attempts: [attempt(2)] })).toMatchObject({ updated: [], stale: true });
    expect(save([endedAt(now - limits.hookRestMs)], { attempts: [attempt(2)] })).toMatchObject({ stale: false });
  });
});

describe('the rest of a hook', () => {
  const ended = (kind: 'hook' | 'gather', endedAt: number): StoredPart =>
    withAttempts(freshPart(kind, 0, 1, 0), [{ attempt: 1, node, term: 1, state: 'ended', startedAt: 1, endedAt }]);

  it('is longer than the lease of who runs it, and no other part has one', () => {
    expect(limits.hookRestMs).toBeGreaterThan(limits.hookLeaseMs);
    expect(limits.hookLeaseMs).toBeGreaterThan(limits.hookConfirmMs);
    expect([restOf(ended('hook', now - 1), now), restOf(ended('hook', now - 4_000), now)]).toEqual([3_999, 0]);
    expect([restOf(hookPart(), now), restOf(ended('gather', now), now)]).toEqual([0, 0]);
    expect([mayStart(ended('hook', now), now), mayStart(ended('gather', now), now)]).toEqual([false, true]);
  });
});
