import type { Act, JobSpec } from '@das/contracts';
import { type DurationMs, type PartId, epochMs, nodeId } from '@das/kernel';
import { emptyData } from '@das/jobs/memory';
import { type Directed, expectThat, someSpec } from './directed.js';
import { bytesOf } from './script.js';
import { type Ask, type OperationName, type Operations, type Reply, operations } from './store.js';
import type { Weakening } from './weakening.js';
import { codeText } from './workload.js';

const none = new Uint8Array();
const node = nodeId('n1');
const run = { name: 'map:0-10' as PartId, from: 0, to: 10 };

/** A store of its own, asked by hand, with a leader of term 1. */
class Counter {
  readonly #data = emptyData();
  readonly #operations: Operations;
  readonly job;
  actSeq = 0;

  constructor(weaken: Weakening, spec: JobSpec = someSpec()) {
    this.#operations = weaken.operations?.(operations, this.#data) ?? operations;
    this.job = spec.job;
    this.ask('claimTerm', { node, above: 0 });
    this.ask('createJob', { spec, codeText, ...(spec.input.kind === 'range' ? { items: 10 } : {}) });
  }
  ask<K extends OperationName>(op: K, request: Ask<K>, raw: Uint8Array = none): Reply<K> {
    const now = () => epochMs(0);
    const clock = { now, monotonic: () => 0 as DurationMs, timer: () => () => undefined, every: () => () => undefined };
    return this.#operations[op]({ data: this.#data, clock }, request, raw).reply;
  }
  get act(): Act {
    return { term: 1, leader: node, actSeq: (this.actSeq += 1) };
  }
  part(part: string, kind: 'map' | 'split', from: number, to: number) {
    return { job: this.job, generation: 1, part: part as PartId, kind, from, to, tries: 0 };
  }
  /** Cuts the first part and starts an attempt of it. */
  start(attempt = 1): Reply<'saveActs'> {
    return this.ask('saveActs', {
      act: this.act,
      parts: [this.part(run.name, 'map', run.from, run.to)],
      cuts: [{ job: this.job, generation: 1, cut: run.to }],
      attempts: [{ job: this.job, generation: 1, part: run.name, attempt, node }],
      ended: [],
    });
  }
  end(attempt = 1): Reply<'saveActs'> {
    const ended = [{ job: this.job, generation: 1, part: run.name, attempt, why: 'told so' }];
    return this.ask('saveActs', { act: this.act, parts: [], cuts: [], attempts: [], ended });
  }
  commit(attempt = 1): Reply<'commitPart'> {
    const { name: part, from, to } = run;
    const outcome = { done: [{ from, to }], failures: [], unfinished: [], rows: [], busyMs: 1 };
    return this.ask('commitPart', { attempt: { job: this.job, generation: 1, part, attempt }, node, ...outcome });
  }
  advance(to: 'succeeded' | 'failed', term = 1): Reply<'advanceJob'> {
    return this.ask('advanceJob', {
      act: { ...this.act, term },
      job: this.job,
      generation: 1,
      to,
      parts: [],
      failed: 0,
    });
  }
  newTerm(): void {
    this.ask('claimTerm', { node: nodeId('n2'), above: 1 });
  }
  /** `split` of which one block is stored. */
  splitting(): Ask<'appendBlock'>['attempt'] {
    const ref = { job: this.job, generation: 1, part: 'split:0-1' as PartId, attempt: 1 };
    const parts = [this.part('split:0-1', 'split', 0, 1)];
    this.ask('saveActs', { act: this.act, parts, cuts: [], attempts: [{ ...ref, node }], ended: [] });
    this.append(ref, '"a"\n');
    return ref;
  }
  append(attempt: Ask<'appendBlock'>['attempt'], text: '"a"\n' | '"b"\n'): Reply<'appendBlock'> {
    const block = { no: 0, from: 0, to: 1, digest: digests[text] };
    return this.ask('appendBlock', { job: this.job, generation: 1, block, ...(attempt && { attempt }) }, bytesOf(text));
  }
}

/** SHA-256. */
const digests = {
  '"a"\n': 'ee195db0cd14979ece92e4ac42d91fef87d1ee254f8df170907cd674dab12d44',
  '"b"\n': 'c531b3dea7338c636959fdcd858e87d848fddc3601ee3d4851536fe72fc75824',
};

export const advanceOfALowerTerm: Directed = (weaken) => {
  const store = new Counter(weaken);
  store.newTerm();
  expectThat(store.advance('failed').outcome === 'staleTerm', 'a term that is over moves a job on');
};
export const endedAttemptCommits: Directed = (weaken) => {
  const store = new Counter(weaken);
  store.start();
  store.end();
  expectThat(store.commit().outcome === 'staleAttempt', 'an attempt that was ended commits');
};
export const endedJobMovesOn: Directed = (weaken) => {
  const store = new Counter(weaken);
  store.ask('cancelJob', { job: store.job, why: 'no more' });
  expectThat(store.advance('failed').outcome === 'jobEnded', 'a job that ended is moved on');
};
export const openPartsAreLeft: Directed = (weaken) => {
  const store = new Counter(weaken);
  store.start();
  expectThat(store.advance('succeeded').outcome === 'partsOpen', 'a job ends well with open parts');
};
export const partsDoNotContinue: Directed = (weaken) => {
  const store = new Counter(weaken);
  store.ask('saveActs', {
    act: store.act,
    parts: [store.part('map:3-7', 'map', 3, 7)],
    cuts: [],
    attempts: [],
    ended: [],
  });
  const { parts } = store.ask('loadParts', { job: store.job, generation: 1 });
  expectThat(parts.length === 0, 'parts are taken that leave a gap');
};
const splitSpec = (): JobSpec =>
  someSpec({ input: { kind: 'split' }, functions: { ...someSpec().functions, split: true } });

export const inputIsNotComplete: Directed = (weaken) => {
  const store = new Counter(weaken, splitSpec());
  expectThat(store.advance('succeeded').outcome === 'partsOpen', 'a job ends well before its input is complete');
};
export const splitYieldsOthers: Directed = (weaken) => {
  const store = new Counter(weaken, splitSpec());
  const attempt = store.splitting();
  expectThat(store.append(attempt, '"b"\n').outcome === 'different', 'other items are taken for the same');
};
export const commitOfAnEarlierGeneration: Directed = (weaken) => {
  const store = new Counter(weaken, splitSpec());
  const attempt = store.splitting();
  if (attempt === undefined) return;
  store.ask('restartSplit', { attempt, why: 'other items' });
  const parts = [{ ...store.part('split:0-1', 'split', 0, 1), generation: 2 }];
  const attempts = [{ ...attempt, generation: 2, node }];
  store.ask('saveActs', { act: store.act, parts, cuts: [], attempts, ended: [] });
  const outcome = { done: [{ from: 0, to: 1 }], failures: [], unfinished: [], rows: [], busyMs: 1 };
  const reply = store.ask('commitPart', { attempt, node, ...outcome, sealed: { items: 0 } });
  expectThat(reply.outcome === 'staleAttempt', 'a commit of an earlier generation counts');
};
