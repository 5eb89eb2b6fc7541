import type { CommitRequest, JobSpec } from '@das/contracts';
import { type PartId, jobId, nodeId } from '@das/kernel';
import { checkCommit } from './commit-check.js';
import { decideCommit } from './commit.js';
import { type AdvanceRequest, type PartTally, decideAdvance as decide, decideCancel } from './job-rules-advance.js';
import { decideAppend, decideRestart, decideSeal, firstState } from './job-rules-input.js';
import { countLines, itemsPage, outputPage } from './job-rules-pages.js';
import { decideSave } from './job-rules-save.js';
import { type JobFacts, type StoredPart, freshPart, openPartOf, partViewOf, withAttempts } from './job-rules.js';

const job = jobId('job-1');
const node = nodeId('node-1');
const act = { term: 1, leader: node, actSeq: 0 };
const facts = (change: Partial<JobFacts> = {}): JobFacts => ({
  ...{ state: 'running', generation: 1, sealed: true, items: 10, cut: 10, retries: 1, reduces: false },
  ...{ onSuccess: false, onFailure: false },
  ...change,
});
const live = (part: StoredPart): StoredPart =>
  withAttempts(part, [{ attempt: 1, node, term: 1, state: 'live', startedAt: 5 }]);
const decideAdvance = (about: JobFacts, tally: PartTally, request: AdvanceRequest) => decide(about, tally, request, 7);
const bytes = (text: string) => new TextEncoder().encode(text);
const text = (pieces: readonly Uint8Array[]) => Buffer.concat(pieces).toString();

describe('a first state', () => {
  const first =
    (input: JobSpec['input'], more: object = {}) =>
    () =>
      firstState({ spec: { input } as JobSpec, codeText: '', ...more });
  const block = { no: 0, from: 0, to: 3, digest: '' };

  it.each([
    [{ kind: 'none' }, {}, { state: 'running', sealed: true, items: 0 }],
    [{ kind: 'range', from: -5, to: 5 }, {}, { state: 'running', sealed: true, items: 10 }],
    [{ kind: 'split' }, {}, { state: 'splitting', sealed: false, items: 0 }],
    [{ kind: 'blocks' }, {}, { state: 'submitted', sealed: false, items: 0 }],
    [{ kind: 'blocks' }, { items: 3, block }, { state: 'running', sealed: true, items: 3 }],
    [{ kind: 'blocks' }, { block }, { state: 'running', sealed: true, items: 3 }],
    [{ kind: 'blocks' }, { items: 0 }, { state: 'running', sealed: true, items: 0 }],
  ] as const)('of %j with %j', (input, more, expected) => {
    expect(first(input, more)()).toEqual(expected);
  });

  it('refuses what does not fit together', () => {
    expect(first({ kind: 'range', from: 5, to: 4 })).toThrow('spec.input.to: expected a range that does not end');
    expect(first({ kind: 'blocks' }, { items: 4, block })).toThrow('items: expected the 3 items');
    expect(first({ kind: 'blocks' }, { items: 2 })).toThrow('items: expected the 0 items');
    expect(first({ kind: 'blocks' }, { block: { ...block, no: 1 } })).toThrow('block: expected the first block');
    expect(first({ kind: 'blocks' }, { block: { ...block, from: 1 } })).toThrow('block: expected the first block');
  });
});

describe('a commit', () => {
  const request = (change: Partial<CommitRequest>): CommitRequest => ({
    ...{ attempt: { job, generation: 1, part: 'map:0-4' as PartId, attempt: 1 }, node, busyMs: 1 },
    ...{ rows: [], done: [{ from: 0, to: 4 }], failures: [], unfinished: [] },
    ...change,
  });
  const map = live(freshPart('map', 0, 4, 0));
  const check = (part: StoredPart, change: Partial<CommitRequest>) => () => checkCommit(part, request(change));
  const failure = { code: 'X', message: 'x' };

  it('that failed as a whole says nothing beside it', () => {
    expect(check(map, { fatal: failure, done: [] })).not.toThrow();
    expect(check(map, { fatal: failure, done: [], unfinished: [{ from: 0, to: 4 }] })).not.toThrow();
    expect(check(map, { fatal: failure })).toThrow('fatal: expected');
    expect(check(map, { fatal: failure, done: [], failures: [{ ...failure, item: 0 }] })).toThrow('fatal: expected');
    expect(check(map, { fatal: failure, done: [], sealed: { items: 1 } })).toThrow('fatal: expected');
  });

  it('seals exactly when it is of a split that is done', () => {
    const split = live(freshPart('split', 0, 1, 0));
    const done = [{ from: 0, to: 1 }];
    expect(check(split, { done, sealed: { items: 4 } })).not.toThrow();
    expect(check(split, { done })).toThrow('sealed: expected');
    expect(check(map, { sealed: { items: 4 } })).toThrow('sealed: expected');
    expect(check(split, { done: [], failures: [{ ...failure, item: 0 }] })).not.toThrow();
  });

  it('has rows of its kind, inside what is done, each in a place of its own', () => {
    const row = { kind: 'map' as const, bucket: 0, from: 0, to: 2, seq: 0, bytes: 1 };
    expect(check(map, { rows: [row, { ...row, seq: 1 }, { ...row, bucket: 1, kind: 'shuffle' }] })).not.toThrow();
    expect(check(map, { rows: [row, row] })).toThrow('rows: expected one row at map 0 0 0');
    expect(check(map, { rows: [{ ...row, kind: 'gather' }] })).toThrow('rows: expected no gather rows');
    expect(check(map, { rows: [{ ...row, to: 0 }] })).toThrow('to lie in what is done');
    expect(check(map, { rows: [{ ...row, to: 5 }] })).toThrow('to lie in what is done');
    const reduce = live(freshPart('reduce', 3, 4, 0));
    const ofReduce = { ...row, kind: 'reduce' as const, from: 3, to: 3 };
    expect(check(reduce, { done: [{ from: 3, to: 4 }], rows: [ofReduce] })).not.toThrow();
    expect(check(reduce, { done: [{ from: 3, to: 4 }], rows: [{ ...ofReduce, from: 4 }] })).toThrow('to lie in');
  });

  it('of a step that fails for good is fatal, and leaves no line', () => {
    const gather = live(freshPart('gather', 0, 1, 1));
    const decision = decideCommit({
      ...{ job: facts({ state: 'gathering' }), part: gather, now: 9 },
      request: request({ done: [], failures: [{ ...failure, item: 0 }] }),
    });
    expect(decision).toMatchObject({
      outcome: 'committed',
      settled: [{ state: 'failed', fatal: true }],
      children: [],
      errorLines: [],
    });
  });

  it('leaves no line of a failed item when results are keys', () => {
    const part = live(freshPart('map', 0, 1, 1));
    const failed = request({ done: [], failures: [{ ...failure, item: 0 }] });
    expect(decideCommit({ job: facts(), part, now: 9, request: failed })).toMatchObject({ errorLines: [{ item: 0 }] });
    expect(decideCommit({ job: facts({ reduces: true }), part, now: 9, request: failed })).toMatchObject({
      errorLines: [],
    });
  });
});

describe('moving a job on', () => {
  const ask = (
    to: 'gathering' | 'succeeded' | 'failed' | 'running',
    parts: readonly StoredPart[] = [],
    generation = 1,
  ) => ({
    ...{ act, job, generation, to },
    parts: parts.map(({ part, kind, from, to: end, tries }) => ({
      job,
      generation: 1,
      part,
      kind,
      from,
      to: end,
      tries,
    })),
  });
  const gather = freshPart('gather', 0, 1, 0);
  const tally = (change: Partial<PartTally> = {}): PartTally => ({ open: 0, failed: 0, fatal: false, ...change });

  it('waits for parts, for the seal and for the cut; not when it fails', () => {
    for (const [change, open] of [
      [{}, 1],
      [{ sealed: false }, 0],
      [{ cut: 9 }, 0],
    ] as const) {
      expect(decideAdvance(facts(change), tally({ open }), ask('succeeded')).outcome).toBe('partsOpen');
      expect(decideAdvance(facts(change), tally({ open }), ask('failed')).outcome).toBe('advanced');
    }
    expect(decideAdvance(facts(), tally(), ask('gathering', [gather]))).toMatchObject({
      outcome: 'advanced',
      to: 'gathering',
      parts: [gather],
    });
  });

  it('refuses a leader that missed a failure; not one that fails the job, nor one that does not count', () => {
    const knows = (failed: number) => ({ ...ask('succeeded'), failed });
    const outcome = (given: Partial<PartTally>, request: ReturnType<typeof knows> | ReturnType<typeof ask>) =>
      decideAdvance(facts(), tally(given), request).outcome;
    expect(outcome({ failed: 2 }, knows(1))).toBe('partsOpen');
    expect(outcome({ failed: 2 }, knows(2))).toBe('advanced');
    expect(outcome({ failed: 2 }, ask('succeeded'))).toBe('advanced');
    expect(outcome({ fatal: true }, ask('succeeded'))).toBe('partsOpen');
    expect(outcome({ failed: 2, fatal: true }, { ...knows(0), to: 'failed' })).toBe('advanced');
  });

  it('of another generation changes nothing, and says whether there is anything to read again', () => {
    expect(decideAdvance(facts({ generation: 2 }), tally(), ask('succeeded'))).toEqual({
      outcome: 'partsOpen',
      parts: [],
    });
    expect(decideAdvance(facts({ generation: 2, state: 'failed' }), tally(), ask('succeeded')).outcome).toBe(
      'jobEnded',
    );
  });

  it('takes only moves and parts that there are', () => {
    expect(() => decideAdvance(facts(), tally(), ask('running'))).toThrow(
      'to: expected one of gathering, succeeded, failed',
    );
    expect(() => decideAdvance(facts(), tally(), ask('succeeded', [gather]))).toThrow('parts: expected none');
    expect(() => decideAdvance(facts(), tally(), ask('gathering', [freshPart('map', 0, 1, 0)]))).toThrow(
      'parts: expected reduce',
    );
    expect(() =>
      decideAdvance(facts(), tally(), ask('gathering', [{ ...gather, part: 'gather:0-2' as PartId }])),
    ).toThrow('parts: expected reduce');
  });

  it('cancels what has not ended', () => {
    expect([undefined, 'running', 'cancelled', 'failed'].map((state) => decideCancel(state as 'running'))).toEqual([
      'unknown',
      'cancelled',
      'alreadyCancelled',
      'ended',
    ]);
  });
});

describe('input', () => {
  const block = { no: 1, from: 10, to: 12, digest: 'd' };
  const splitting = facts({ state: 'splitting', sealed: false });
  const part = live(freshPart('split', 0, 1, 0));
  const attempt = { job, generation: 1, part: part.part, attempt: 1 };

  it('of a split is taken from a live attempt of a split only', () => {
    const append = (change: object) =>
      decideAppend({
        job: splitting,
        stored: undefined,
        blocks: 1,
        part,
        request: { job, generation: 1, block, attempt },
        ...change,
      });
    expect(append({})).toBe('stored');
    expect(append({ part: undefined })).toBe('staleAttempt');
    expect(append({ part: live(freshPart('map', 0, 1, 0)) })).toBe('staleAttempt');
    expect(append({ part: { ...part, state: 'failed' } })).toBe('staleAttempt');
    expect(append({ job: { ...splitting, generation: 2 } })).toBe('staleAttempt');
    expect(append({ job: facts() })).toBe('staleAttempt');
    expect(append({ job: facts({ state: 'failed' }) })).toBe('jobEnded');
    expect(append({ stored: block })).toBe('same');
    for (const change of [{ digest: 'e' }, { from: 9 }, { to: 13 }])
      expect(append({ stored: { ...block, ...change } })).toBe('different');
    expect(() => append({ request: { job, generation: 1, block } })).toThrow(
      'job: expected a job whose input is not complete',
    );
  });

  it('is sealed once, with the items that are stored', () => {
    const seal = (change: Partial<JobFacts>, items = 10, generation = 1) =>
      decideSeal(facts(change), { job, items, generation });
    expect(seal({ state: 'submitted', sealed: false })).toBe('seal');
    expect(seal({})).toBe('sealed');
    expect(seal({ state: 'cancelled' })).toBe('jobEnded');
    expect(() => seal({}, 9)).toThrow('items: expected 10 items');
    expect(() => seal({}, 10, 2)).toThrow('items: expected 10 items');
    expect(() => seal({ state: 'splitting', sealed: false })).toThrow('come from split()');
  });

  it('starts again only for the live attempt of the split, and goes on counting its tries', () => {
    expect(decideRestart(splitting, live(freshPart('split', 0, 1, 2)), 1, 1)).toMatchObject({
      outcome: 'restarted',
      generation: 2,
      part: { part: 'split:0-1~2', state: 'pending' },
    });
    expect(decideRestart(splitting, part, 1, 2).outcome).toBe('staleAttempt');
    expect(decideRestart(splitting, undefined, 1, 1).outcome).toBe('staleAttempt');
    expect(decideRestart(facts({ state: 'cancelled' }), part, 1, 1).outcome).toBe('jobEnded');
  });
});

describe('a batch of acts', () => {
  const save = (state: JobFacts['state'], parts: readonly StoredPart[], change: object = {}) =>
    decideSave({
      ...{ id: job, job: facts({ state, items: 10, cut: 0, sealed: state !== 'splitting' }), parts: new Map(), now: 1 },
      request: {
        ...{ act, cuts: [], attempts: [], ended: [] },
        parts: parts.map(({ part, kind, from, to, tries }) => ({ job, generation: 1, part, kind, from, to, tries })),
        ...change,
      },
    });

  it('takes each step part in its time only', () => {
    const kinds = ['split', 'main', 'reduce', 'gather'] as const;
    const taken = (state: JobFacts['state']) =>
      kinds.filter((kind) => save(state, [freshPart(kind, 0, 1, 0)]).inserted.length === 1);
    expect([taken('splitting'), taken('running'), taken('gathering')]).toEqual([
      ['split'],
      ['main'],
      ['reduce', 'gather'],
    ]);
    expect(save('running', [freshPart('main', 0, 2, 0)])).toMatchObject({ inserted: [], stale: true });
  });

  it('takes none of a job whose input is uploaded, and no part under a false name', () => {
    expect(save('submitted', [freshPart('map', 0, 10, 0)])).toMatchObject({ inserted: [], stale: true });
    const named = { ...freshPart('map', 0, 10, 0), part: 'map:0-9' as PartId };
    expect(save('running', [named], { cuts: [{ job, generation: 1, cut: 10 }] })).toEqual({
      inserted: [],
      updated: [],
      cut: 0,
      stale: true,
    });
  });

  it('says nothing of a job that it does not name', () => {
    expect(
      decideSave({
        id: job,
        job: undefined,
        parts: new Map(),
        request: { act, parts: [], cuts: [], attempts: [], ended: [] },
        now: 1,
      }),
    ).toEqual({ inserted: [], updated: [], cut: 0, stale: false });
  });

  it('ends an attempt that starts in the same batch', () => {
    const part = freshPart('map', 0, 10, 0);
    const ref = { job, generation: 1, part: part.part, attempt: 1 };
    const change = {
      cuts: [{ job, generation: 1, cut: 10 }],
      attempts: [{ ...ref, node }],
      ended: [{ ...ref, why: 'refused' }],
    };
    expect(save('running', [part], change)).toMatchObject({
      inserted: [{ state: 'pending', attempts: [{ state: 'ended', why: 'refused' }] }],
      stale: false,
    });
    const twice = {
      ...change,
      attempts: [
        { ...ref, node },
        { ...ref, node: nodeId('node-2') },
      ],
      ended: [],
    };
    expect(save('running', [part], twice)).toMatchObject({ inserted: [{ state: 'assigned' }], stale: true });
  });
});

describe('views of a part', () => {
  it('show an attempt that was live when the job ended as ended', () => {
    const part = live(freshPart('map', 0, 1, 0));
    expect(openPartOf(part)).toMatchObject({ state: 'assigned', live: [{ attempt: 1, node }], lastAttempt: 1 });
    expect(partViewOf({ ...part, state: 'assigned' }).attempts).toMatchObject([{ state: 'live' }]);
    expect(partViewOf({ ...part, state: 'cancelled' }).attempts).toMatchObject([
      { state: 'ended', why: 'the job ended' },
    ]);
  });
});

describe('pages', () => {
  const block = (from: number, lines: string) => ({
    from,
    to: from + lines.split('\n').length - 1,
    bytes: bytes(lines),
  });

  it('cut items out of blocks by line', () => {
    const blocks = [block(0, 'a\nb\nc\n'), block(3, 'd\ne\n'), block(6, 'g\n')];
    const page = (from: number, to: number, max = 100) => {
      const { to: got, pieces } = itemsPage(blocks, from, to, max);
      return [got, text(pieces)];
    };
    expect(page(1, 4)).toEqual([4, 'b\nc\nd\n']);
    expect(page(0, 9)).toEqual([5, 'a\nb\nc\nd\ne\n']);
    expect(page(5, 7)).toEqual([5, '']);
    expect(page(6, 7)).toEqual([7, 'g\n']);
    expect(page(0, 5, 5)).toEqual([2, 'a\nb\n']);
    expect(page(0, 5, 1)).toEqual([0, '']);
    expect(page(2, 2)).toEqual([2, '']);
    expect(itemsPage([{ from: 0, to: 5, bytes: bytes('a\n') }], 3, 5, 100)).toEqual({ to: 3, pieces: [] });
  });

  it('count ended lines', () => {
    expect(['', 'a\n', 'a\nb\n', 'a', '\n\n'].map((lines) => countLines(bytes(lines)))).toEqual([
      0,
      1,
      2,
      undefined,
      2,
    ]);
  });

  it('choose output rows up to a page, without a gap where none may be', () => {
    const row = (from: number, to: number, size = 10, seq = 0, failed = false) => ({
      kind: 'map' as const,
      bucket: 0,
      from,
      to,
      seq,
      bytes: size,
      failed,
    });
    const rows = [row(0, 1), row(0, 1, 10, 1), row(1, 3, 10, 0, true), row(3, 4, 10), row(6, 7)];
    const page = (ask: object, all = true, max = 100) => {
      const { rows: chosen, more, gap } = outputPage(rows, { skipFailed: false, ...ask }, all, max);
      return [chosen.map(({ from, seq }) => `${from}.${seq}`).join(' '), more, gap];
    };
    expect(page({})).toEqual(['0.0 0.1 1.0 3.0 6.0', false, false]);
    expect(page({}, false)).toEqual(['0.0 0.1 1.0 3.0 6.0', true, false]);
    expect(page({ contiguousFrom: 0 })).toEqual(['0.0 0.1 1.0 3.0', false, true]);
    expect(page({ contiguousFrom: 0, skipFailed: true })).toEqual(['0.0 0.1 3.0', false, true]);
    expect(page({ skipFailed: true }, true, 25)).toEqual(['0.0 0.1', true, false]);
    expect(page({}, true, 5)).toEqual(['0.0', true, false]);
    expect(
      outputPage(rows.slice(1), { skipFailed: false, after: { from: 0, seq: 0 }, contiguousFrom: 1 }, true, 100).rows,
    ).toHaveLength(3);
  });
});
