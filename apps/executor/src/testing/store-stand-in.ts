import { createHash } from 'node:crypto';
import {
  type BlockHead,
  type CommitReply,
  type CommitRequest,
  Fault,
  type Operation,
  type OutputRow,
  type ReplyOf,
  type RequestOf,
  acquireLock,
  appendBlock,
  commitPart,
  currentTerm,
  doubtBundle,
  listBlocks,
  readBlob,
  readItems,
  readOutput,
  releaseLock,
  restartSplit,
  stageOutput,
} from '@das/contracts';
import type { Answer, ServiceBus } from '@das/messaging';
import { Board } from './board.js';

export interface SeenCommit extends CommitRequest {
  /** Bytes of each row, staged ones first, as text. */
  readonly output: ReadonlyArray<OutputRow & { readonly text: string }>;
}

const takesOutput: ReadonlySet<string> = new Set([stageOutput.name, commitPart.name]);

/** Answers what an executor asks of a store, from what a test puts in; judges nothing. */
export class StoreStandIn {
  readonly commits = new Board<SeenCommit>();
  readonly blocks = new Board<BlockHead & { readonly text: string }>();
  readonly restarts = new Board<string>();
  /** Every call, by name. */
  readonly calls = new Board<string>();
  /** `output`: away for output only, so that attempts still get what they need. */
  away: boolean | 'output' = false;
  term = 1;
  outcome: CommitReply['outcome'] = 'committed';
  /** False: as if an earlier life of the attempt had committed something else. */
  takesFatal = true;
  blockOutcome: 'stored' | 'same' | 'different' | 'staleAttempt' | 'jobEnded' = 'stored';
  stored: BlockHead[] = [];
  /** Faults by the name of the operation that gives them; `once`: only the next time. */
  readonly faults = new Map<string, { readonly fault: Fault; readonly once?: boolean }>();
  /** Awaited before a commit is judged, and before the term is told. */
  beforeCommit: (request: CommitRequest) => Promise<void> = async () => undefined;
  /** Called when rows were staged. */
  afterStage: () => void = () => undefined;
  beforeTerm: () => Promise<void> = async () => undefined;
  /** Attempts with their lives, as they staged. */
  readonly stages = new Board<{ readonly attempt: CommitRequest['attempt']; readonly run: string | undefined }>();
  /** What is said of a lock. */
  lock: () => ReplyOf<typeof acquireLock> = () => ({ outcome: 'acquired', fence: 7, expiresAt: 1, leftMs: 1 });
  readonly released = new Board<RequestOf<typeof releaseLock>>();
  readonly #code = new Map<string, Uint8Array[]>();
  /** Bundles that somebody found missing or damaged. */
  readonly doubted = new Board<string>();
  readonly #items = new Map<string, string[]>();
  readonly #outputs = new Map<string, Array<OutputRow & { text: string }>>();
  readonly #staged = new Map<string, Array<OutputRow & { text: string }>>();

  /** Stores a script; gives its digest. */
  code(text: string): string {
    const digest = createHash('sha256').update(text).digest('hex');
    this.#code.set(digest, [Buffer.from(text)]);
    return digest;
  }
  /** Stores, or replaces, the chunks of a bundle. */
  chunks(digest: string, chunks: readonly Uint8Array[]): void {
    this.#code.set(digest, [...chunks]);
  }
  items(job: string, lines: readonly string[]): void {
    this.#items.set(job, [...lines]);
  }
  output(job: string, row: Omit<OutputRow, 'bytes' | 'seq' | 'to'> & { text: string; seq?: number }): void {
    const rows = this.#outputs.get(job) ?? [];
    rows.push({ seq: 0, to: row.from + 1, bytes: Buffer.byteLength(row.text), ...row });
    this.#outputs.set(job, rows);
  }

  async open(bus: ServiceBus): Promise<void> {
    const answer = <Q, R>(
      operation: Operation<Q, R>,
      act: (body: Q, raw: Uint8Array) => R | Answer<R> | Promise<R>,
    ): Promise<unknown> =>
      bus.answer(operation, async (body, { raw }) => {
        this.calls.add(operation.name);
        if (this.away === true || (this.away === 'output' && takesOutput.has(operation.name)))
          throw new Fault('STORE_UNAVAILABLE', 'the database is away');
        const refusal = this.faults.get(operation.name);
        if (refusal?.once === true) this.faults.delete(operation.name);
        if (refusal !== undefined) throw refusal.fault;
        return act(body, raw);
      });
    await answer(readBlob, ({ digest, chunk }) => {
      const chunks = this.#code.get(digest) ?? [];
      const raw = chunks[chunk];
      return { body: { found: raw !== undefined, chunks: chunks.length }, raw: raw ?? new Uint8Array() };
    });
    await answer(doubtBundle, ({ digest }) => {
      this.doubted.add(digest);
      return {};
    });
    await answer(readItems, ({ job, from, to }) => {
      // Small pages, so that parts have several.
      const lines = (this.#items.get(job) ?? []).slice(from, Math.min(to, from + 1_000));
      return { body: { from, to: from + lines.length }, raw: Buffer.from(lines.map((line) => `${line}\n`).join('')) };
    });
    await answer(readOutput, (ask) => {
      const rows = (this.#outputs.get(ask.job) ?? []).filter(
        (row) =>
          row.kind === ask.kind && row.bucket === ask.bucket && (ask.after === undefined || row.from > ask.after.from),
      );
      const page = rows.slice(0, 1).map(({ text: _, ...row }) => ({ ...row, failed: false }));
      const body = { rows: page, more: rows.length > 1, state: 'gathering' as const, generation: 1 };
      return { body, raw: Buffer.from(rows[0]?.text ?? '') };
    });
    await answer(listBlocks, () => ({ blocks: this.stored.map((head) => ({ ...head, bytes: 1 })), more: false }));
    await answer(appendBlock, ({ block }, raw) => {
      this.blocks.add({ ...block, text: Buffer.from(raw).toString() });
      return { outcome: this.blockOutcome };
    });
    await answer(restartSplit, ({ why }) => {
      this.restarts.add(why);
      return { outcome: 'restarted' as const, generation: 2 };
    });
    await answer(stageOutput, ({ attempt, run, rows }, raw) => {
      const key = JSON.stringify([attempt, run]);
      this.stages.add({ attempt, run });
      this.#staged.set(key, [...(this.#staged.get(key) ?? []), ...sliced(rows, raw)]);
      this.afterStage();
      return { outcome: 'staged' as const };
    });
    await answer(commitPart, async (request, raw) => {
      await this.beforeCommit(request);
      const staged = this.#staged.get(JSON.stringify([request.attempt, request.run])) ?? [];
      this.commits.add({ ...request, output: [...staged, ...sliced(request.rows, raw)] });
      const failed = request.fatal === undefined || !this.takesFatal ? [] : [request.fatal];
      return { outcome: this.outcome, children: [], failed };
    });
    await answer(acquireLock, () => this.lock());
    await answer(releaseLock, (request) => {
      this.released.add(request);
      return { outcome: 'released' as const };
    });
    await answer(currentTerm, async () => {
      const { term } = this;
      await this.beforeTerm();
      return { term, renewedAgoMs: 0 };
    });
  }
}

function sliced(rows: readonly OutputRow[], raw: Uint8Array): Array<OutputRow & { text: string }> {
  let at = 0;
  return rows.map((row) => ({ ...row, text: Buffer.from(raw.subarray(at, (at += row.bytes))).toString() }));
}
