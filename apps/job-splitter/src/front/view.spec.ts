import type { JobRecord } from '@das/contracts';
import { jobViewSchema } from '@das/contracts';
import { inOrder, resultKind } from '@das/jobs';
import { jobId, nodeId } from '@das/kernel';
import { parseWait, waitMsMax } from './query.js';
import { failureOf, jobView } from './view.js';

const functions = { split: false, map: true, combine: false, reduce: false, gather: false, main: false };
const record: JobRecord = {
  spec: {
    job: jobId('j-1'),
    name: 'job.py',
    language: 'python',
    filename: 'job.py',
    code: '0'.repeat(64),
    functions,
    input: { kind: 'blocks' },
    params: {},
    limits: { timeoutMs: 1, retries: 1, tolerate: { items: 0 }, priority: 1, buckets: 1 },
    contact: nodeId('node-1'),
    network: false,
  },
  state: 'running',
  generation: 1,
  sealed: true,
  items: 7,
  cut: 3,
  createdAt: 1_700_000_000_123,
};

describe('the view of a job', () => {
  it('fits its schema and tells counts', () => {
    const view = jobView(record, { committed: 3, failed: 1, open: 2 });
    expect(jobViewSchema.parse(view)).toEqual(view);
    expect(view).toMatchObject({
      items: { total: 7, final: true, committed: 3, failed: 1 },
      openParts: 2,
      createdAt: '2023-11-14T22:13:20.123Z',
    });
    expect(view).not.toHaveProperty('wallMs');
  });

  it('tells end, wall time and failure', () => {
    const failure = { code: 'SCRIPT_ERROR', message: 'boom' };
    const view = jobView({ ...record, state: 'failed', finishedAt: record.createdAt + 1_500, failure }, undefined);
    expect(view).toMatchObject({ wallMs: 1_500, finishedAt: '2023-11-14T22:13:21.623Z', failure });
  });

  it('tells where it ran, and in which sandboxes when not in the full one', () => {
    const spec = { ...record.spec, venv: '/srv/green' };
    const view = jobView({ ...record, spec, sandboxes: ['landlock', 'none'] }, undefined);
    expect(jobViewSchema.parse(view)).toMatchObject({ venv: '/srv/green', sandboxes: ['landlock', 'none'] });
    const plain = jobView(record, undefined);
    expect(['venv' in plain, 'sandboxes' in plain]).toEqual([false, false]);
  });

  it('of a settling job tells what was decided, and no failure before the end', () => {
    const failure = { code: 'ITEM_RAISED', message: 'no' };
    const decision = { id: 'j-1-failed', outcome: 'failed' as const, failure, decidedAt: record.createdAt };
    const settling: JobRecord = { ...record, state: 'settling', decision };
    const view = jobView(settling, undefined);
    expect(jobViewSchema.parse(view)).toEqual(view);
    expect(view.decision).toEqual({ id: 'j-1-failed', outcome: 'failed', decidedAt: view.createdAt });
    expect([view.failure, view.hookFailure]).toEqual([undefined, undefined]);
    const ended = jobView({ ...settling, state: 'failed', failure, hookFailure: failure }, undefined);
    expect(jobViewSchema.parse(ended)).toMatchObject({ failure, hookFailure: failure });
  });

  it('of a succeeded job without counts has all items committed', () => {
    expect(jobView({ ...record, state: 'succeeded' }, undefined).items.committed).toBe(7);
  });

  it('of a cancelled job has a reason too', () => {
    expect(failureOf({ ...record, state: 'cancelled' }).code).toBe('JOB_CANCELLED');
  });
});

describe('times to wait', () => {
  it.each([
    ['30s', 30_000],
    ['500ms', 500],
    ['1.5m', 90_000],
    ['2', 2_000],
    ['300s', waitMsMax],
  ])('%s', (text, ms) => expect(parseWait(text)).toBe(ms));

  it.each(['', '-1s', '301s', '5h', 'soon', '1e9'])('not %j', (text) =>
    expect(() => parseWait(text)).toThrow('is not a time to wait'),
  );
});

describe('rows of a result', () => {
  it('are those of the last step', () => {
    expect(resultKind(functions)).toBe('map');
    expect(resultKind({ ...functions, reduce: true })).toBe('gather');
    expect(resultKind({ ...functions, gather: true })).toBe('gather');
    expect(resultKind({ ...functions, map: false, main: true })).toBe('main');
  });

  const row = (from: number, to: number, seq = 0) => ({
    kind: 'map' as const,
    bucket: 0,
    from,
    to,
    seq,
    bytes: 10,
    failed: false,
  });
  const nothing = { last: undefined, reach: 0 };
  it('stop before a gap, whatever the store told', () => {
    const rows = [row(0, 4), row(4, 5), row(4, 5, 1), row(6, 9)];
    expect(inOrder(rows, nothing, true)).toEqual({ bytes: 30, last: { from: 4, seq: 1 }, reach: 5 });
    const known = { last: { from: 4, seq: 1 }, reach: 5 };
    expect(inOrder([row(6, 9)], known, true)).toEqual({ bytes: 0, ...known });
  });

  it('of a step have no gaps', () => {
    expect(inOrder([row(0, 1), row(0, 1, 1)], nothing, false)).toEqual({
      bytes: 20,
      last: { from: 0, seq: 1 },
      reach: 1,
    });
  });
});
