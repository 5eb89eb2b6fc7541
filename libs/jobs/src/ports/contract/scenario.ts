import { createHash } from 'node:crypto';
import {
  type CommitReply,
  type CommitRequest,
  type InputKind,
  type JobSpec,
  type OutputRow,
  type PartKind,
  type RequestOf,
  type commitPart,
  type readOutput,
  jobLimitsSchema,
  jobSpecSchema,
} from '@das/contracts';
import { type JobId, type NodeId, type PartId, jobId, nodeId } from '@das/kernel';
import { parsePartId, partIdOf } from '../../core/part-id.js';
import type { ResultStore } from '../result-store.js';

/** A fresh, empty store, and a second instance over the same data. */
export interface StoreHarness {
  readonly store: ResultStore;
  readonly other: ResultStore;
  /** Lets time pass for what the store notes of locks (ms); forgets locks that are long over, as the store does now and then. */
  readonly locks: { pass(ms: number): Promise<void>; forget(): Promise<void> };
  close(): Promise<void>;
}

export const node1 = nodeId('node-1');
export const node2 = nodeId('node-2');
export const none = new Uint8Array();
export const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
export const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
export const sha256 = (data: string | Uint8Array): string => createHash('sha256').update(data).digest('hex');
export const linesFrom = (from: number, to: number, line = (i: number) => `${i}`): string =>
  Array.from({ length: to - from }, (_, i) => `${line(from + i)}\n`).join('');

type Change = Partial<Omit<JobSpec, 'limits' | 'functions'>> & {
  limits?: Partial<JobSpec['limits']>;
  functions?: Partial<JobSpec['functions']>;
};
const code = 'def map(item): return item\n';
let jobs = 0;

/** A small job whose items are 0..9 unless changed. */
export function specOf(change: Change = {}): JobSpec {
  const functions = { split: false, map: true, combine: false, reduce: false, gather: false, main: false };
  const input: InputKind = { kind: 'range', from: 0, to: 10 };
  return jobSpecSchema.parse({
    ...{ job: jobId(`job-${++jobs}`), name: 'test', language: 'python', filename: 'job.py', code: sha256(code) },
    ...{ input, params: {}, contact: node1, ...change },
    functions: { ...functions, ...change.functions },
    limits: { ...jobLimitsSchema.parse({}), ...change.limits },
  });
}

interface Outcome {
  readonly done?: readonly (readonly [number, number])[];
  readonly failed?: readonly number[];
  readonly unfinished?: readonly (readonly [number, number])[];
  readonly rows?: readonly { row: Omit<OutputRow, 'bytes'>; text: string }[];
  readonly more?: Partial<CommitRequest>;
  readonly node?: NodeId;
}

/** Drives a store the way services do, with one leader. */
export class Scenario {
  term = 0;
  #actSeq = 0;
  constructor(
    readonly store: ResultStore,
    readonly other: ResultStore,
    readonly locks?: StoreHarness['locks'],
  ) {}

  act = (term = this.term) => ({ term, leader: node1, actSeq: this.#actSeq++ });

  async lead(node = node1): Promise<number> {
    this.term = (await this.store.claimTerm({ node, above: this.term })).term;
    return this.term;
  }

  async create(spec = specOf()): Promise<JobId> {
    await this.store.createJob({ spec, codeText: code }, none);
    return spec.job;
  }

  /** A job with its items in one block. */
  async createWithItems(lines: string, items: number, change: Change = {}): Promise<JobId> {
    const spec = specOf({ input: { kind: 'blocks' }, ...change });
    const block = { no: 0, from: 0, to: items, digest: sha256(lines) };
    await this.store.createJob({ spec, codeText: code, items, block }, bytesOf(lines));
    return spec.job;
  }

  /** Saves parts with one live attempt each, given as ranges (map) or ids. */
  async assign(
    job: JobId,
    ranges: readonly (readonly [number, number])[],
    generation = 1,
    node = node1,
  ): Promise<PartId[]> {
    const parts = ranges.map(([from, to]) => partIdOf('map', from, to, 0));
    await this.save(
      job,
      { parts, cut: Math.max(...ranges.map(([, to]) => to)), attempts: parts.map((p) => [p, 1]) },
      generation,
      node,
    );
    return parts;
  }

  /** Saves one step part with a live attempt. */
  async assignStep(job: JobId, kind: PartKind, generation = 1): Promise<PartId> {
    const part = partIdOf(kind, 0, 1, 0);
    await this.save(job, { parts: [part], attempts: [[part, 1]] }, generation);
    return part;
  }

  save(
    job: JobId,
    acts: {
      parts?: readonly PartId[];
      cut?: number;
      attempts?: readonly (readonly [PartId, number])[];
      ended?: readonly (readonly [PartId, number])[];
    },
    generation = 1,
    node = node1,
    term = this.term,
    store = this.store,
  ) {
    const { parts = [], cut, attempts = [], ended = [] } = acts;
    return store.saveActs({
      act: this.act(term),
      parts: parts.map((part) => ({ job, generation, ...named(part) })),
      cuts: cut === undefined ? [] : [{ job, generation, cut }],
      attempts: attempts.map(([part, attempt]) => ({ job, generation, part, attempt, node })),
      ended: ended.map(([part, attempt]) => ({ job, generation, part, attempt, why: 'lost' })),
    });
  }

  commitRequest(
    job: JobId,
    part: PartId,
    outcome: Outcome = {},
    attempt = 1,
    generation = 1,
  ): [RequestOf<typeof commitPart>, Uint8Array] {
    const { from, to, kind } = named(part);
    const { done = [[from, to]], failed = [], unfinished = [], node = node1 } = outcome;
    const rows = outcome.rows ?? (kind === 'map' ? done.map(([f, t]) => mapRow(f, t)) : []);
    return [
      {
        ...{ attempt: { job, generation, part, attempt }, node, busyMs: 10 },
        rows: rows.map(({ row, text }) => ({ ...row, bytes: bytesOf(text).length })),
        done: done.map(rangeOf),
        failures: failed.map((item) => ({ item, code: 'SCRIPT_RAISED', message: `item ${item} raised` })),
        unfinished: unfinished.map(rangeOf),
        ...outcome.more,
      },
      bytesOf(rows.map(({ text }) => text).join('')),
    ];
  }

  commit(
    job: JobId,
    part: PartId,
    outcome: Outcome = {},
    attempt = 1,
    generation = 1,
    store = this.store,
  ): Promise<CommitReply> {
    return store.commitPart(...this.commitRequest(job, part, outcome, attempt, generation));
  }

  advance(
    job: JobId,
    to: 'gathering' | 'succeeded' | 'failed',
    parts: readonly PartId[] = [],
    generation = 1,
    store = this.store,
    failed?: number,
  ) {
    const failure = to === 'failed' ? { failure: { code: 'TEST', message: 'failed on purpose' } } : {};
    const made = parts.map((part) => ({ job, generation, ...named(part) }));
    return store.advanceJob({ act: this.act(), job, generation, to, parts: made, failed, ...failure });
  }

  /** All output text that a reader gets, page by page. */
  async output(job: JobId, ask: Partial<RequestOf<typeof readOutput>> = {}): Promise<string> {
    const pieces: string[] = [];
    let after = ask.after;
    for (let page = 0; page < 100; page++) {
      const { reply, raw } = await this.store.readOutput({
        job,
        kind: 'map',
        bucket: 0,
        skipFailed: false,
        ...ask,
        ...(after && { after }),
      });
      pieces.push(textOf(raw));
      const last = reply.rows.at(-1);
      if (!reply.more || !last) return pieces.join('');
      after = { from: last.from, seq: last.seq };
    }
    throw new Error('the output has no end');
  }

  async counts(job: JobId) {
    return (await this.store.getJob({ job })).counts;
  }

  /** The open parts' ids. */
  async open(job: JobId, generation = 1): Promise<PartId[]> {
    return (await this.store.loadParts({ job, generation })).parts.map(({ part }) => part);
  }

  /** Drains the outbox: `state` events as words. */
  async told(): Promise<string[]> {
    const told: string[] = [];
    await this.store.drainOutbox(1000, async (rows) => {
      for (const { event } of rows)
        told.push(event.event === 'state' ? `${event.state} ${event.generation}` : event.event);
      return rows.length;
    });
    return told;
  }
}

/** A scenario over a store of its own, for each rule. */
export type Given = () => Promise<Scenario>;

/** One line per item, the item's number. */
export const mapRow = (from: number, to: number, text = linesFrom(from, to), seq = 0) => ({
  row: { kind: 'map' as const, bucket: 0, from, to, seq },
  text,
});

const rangeOf = ([from, to]: readonly [number, number]) => ({ from, to });

function named(part: PartId) {
  const name = parsePartId(part);
  if (!name) throw new RangeError(`not a part id: ${part}`);
  return { part, ...name };
}
