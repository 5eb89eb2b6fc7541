import {
  type Assignment,
  type BlockHead,
  type CommitRequest,
  type Failure,
  type Fault,
  type JobSpec,
  appendBlock,
  restartSplit,
} from '@das/contracts';
import {
  type Exit,
  type ItemFailure,
  type LockAnswer,
  type LockCall,
  MapRows,
  PairRows,
  type PartOutcome,
  type PartWord,
  type Rows,
  type RunEnd,
  type ScriptFailure,
  StepRows,
  type WorkSink,
  crashOutcome,
  crashed,
  itemsDone,
  notImported,
  partOutcome,
  raised,
  timedOut,
} from '@das/execution';
import { type NodeId, assertNever } from '@das/kernel';
import type { AttemptLocks } from './attempt-locks.js';
import { type Commit, fatalCommit } from './commit.js';
import type { HoldLedger } from './hold-ledger.js';
import { Output, RefusedError } from './output.js';
import { refusedByStore } from './refusals.js';
import type { StoreClient } from './store-client.js';
import { timeoutOf } from './time-out.js';

interface PartTools {
  readonly node: NodeId;
  /** Names this life of the attempt to the store. */
  readonly run: string;
  readonly store: StoreClient;
  readonly ledger: HoldLedger;
  readonly locks: AttemptLocks;
  readonly signal: AbortSignal;
}
interface Ended {
  readonly busyMs: number;
  /** What the worker was at last. */
  readonly item: number | undefined;
  /** It was ended because it made no progress. */
  readonly stuck: boolean;
}

/** Hears what a worker gives for one part, and makes the commit of it. */
export class PartRun implements WorkSink {
  readonly output: Output;
  readonly #rows: MapRows | PairRows | StepRows;
  readonly #failures: ItemFailure[] = [];
  #next: number;

  constructor(
    private readonly spec: JobSpec,
    private readonly part: Assignment,
    private readonly tools: PartTools,
  ) {
    this.#next = part.from;
    this.#rows = rowsFor(spec, part);
    const { run, store, ledger, signal } = tools;
    this.output = new Output(this.#rows satisfies Rows, this.ref, run, store, ledger, signal);
  }

  results(items: number, lines: Uint8Array): void | Promise<void> {
    if (!(this.#rows instanceof MapRows)) throw new TypeError('results of a part that has none');
    this.#rows.add(items, lines);
    this.#next += items;
    return this.output.grown();
  }

  pairs(items: number, buckets: ReadonlyArray<{ bucket: number; lines: Uint8Array }>): void | Promise<void> {
    if (!(this.#rows instanceof PairRows)) throw new TypeError('pairs of a part that has none');
    this.#rows.add(items, buckets);
    this.#next += items;
    return this.output.grown();
  }

  failed(item: number, failure: ScriptFailure): void {
    if (this.#rows instanceof StepRows) throw new TypeError('a failed item of a part that has none');
    this.#rows.skip();
    this.#failures.push({ ...this.#told(raised(failure)), item });
    this.#next = item + 1;
  }

  lines(lines: Uint8Array): void | Promise<void> {
    if (!(this.#rows instanceof StepRows)) throw new TypeError('lines of a part that is no step');
    this.#rows.add(lines);
    return this.output.grown();
  }

  /** @throws RefusedError when the attempt has ended for the store, or its job starts again. */
  async block(block: BlockHead, lines: Uint8Array): Promise<void> {
    const { job, generation } = this.part;
    const request = { job, generation, block, attempt: this.ref };
    const { body } = await this.tools.store.ask(appendBlock, request, this.tools.signal, lines);
    if (body.outcome === 'different')
      return this.#restart(`block ${block.no} differs from what an earlier attempt yielded`);
    if (body.outcome === 'staleAttempt' || body.outcome === 'jobEnded') throw new RefusedError(body.outcome);
  }

  lock(call: LockCall): Promise<LockAnswer> {
    return this.tools.locks.ask(call);
  }

  /** The commit for how a run ended. @throws RefusedError, StoppedError, Fault of the store. */
  async ended(end: RunEnd, about: Ended): Promise<Commit> {
    const range = { from: this.part.from, to: this.part.to };
    switch (end.kind) {
      case 'ended':
        if (this.part.kind === 'map') return this.#commit(partOutcome(range, this.#next, this.#failures), about.busyMs);
        return this.#commit(partOutcome(range, range.to), about.busyMs, end.items);
      case 'failed':
        return this.#commit(this.#stepFailed(raised(end.failure)), about.busyMs);
      case 'fatal':
        return this.fatal(end.failure);
      case 'differs':
        return this.#restart(end.why);
      case 'gone':
        return this.#gone(end.exit, about);
      default:
        return assertNever(end);
    }
  }

  /** No node could import the script: nothing of the part is tried again. */
  fatal(failure: ScriptFailure): Commit {
    return this.#fatal(notImported(failure));
  }

  /** The store will never take what this part gives, or never give what it needs: no node could go on. */
  refused(fault: Fault): Commit {
    return this.#fatal(refusedByStore(this.part.part, fault));
  }

  #fatal(failure: Failure): Commit {
    return fatalCommit(this.#request({ done: [], failures: [], unfinished: [] }, 0), failure);
  }

  /** The process ended while it imported the script: the first item stands for all. */
  crashedImporting(exit: Exit, why: Failure | undefined): Commit {
    const { from, to } = this.part;
    const reason = why ?? crashed(wordOf(this.part), from, exit);
    return this.#commit(crashOutcome({ from, to }, from, undefined, this.#told(reason)), 0);
  }

  #gone(exit: Exit, { item, stuck, busyMs }: Ended): Commit {
    const { from, to, kind } = this.part;
    const at = item !== undefined && item >= this.#next && item < to ? item : this.#next;
    const timeoutMs = stuck ? timeoutOf(kind, this.spec.limits.timeoutMs) : undefined;
    const word = wordOf(this.part);
    const reason = timeoutMs === undefined ? crashed(word, at, exit) : timedOut(word, at, timeoutMs);
    if (kind !== 'map') return this.#commit(this.#stepFailed(reason), busyMs);
    return this.#commit(crashOutcome({ from, to }, this.#next, item, this.#told(reason), this.#failures), busyMs);
  }

  #stepFailed(failure: Failure): PartOutcome {
    return { done: [], failures: [{ ...this.#told(failure), item: this.part.from }], unfinished: [] };
  }

  async #restart(why: string): Promise<never> {
    const { body } = await this.tools.store.ask(restartSplit, { attempt: this.ref, why }, this.tools.signal);
    throw new RefusedError(body.outcome === 'jobEnded' ? 'jobEnded' : 'staleAttempt');
  }

  #commit(outcome: PartOutcome, busyMs: number, items?: number): Commit {
    const keepsOutput = outcome.done.length > 0;
    const sealed = this.part.kind === 'split' && keepsOutput ? { sealed: { items: items ?? 0 } } : {};
    return { request: { ...this.#request(outcome, busyMs), ...sealed }, keepsOutput, items: itemsDone(outcome) };
  }

  #request(outcome: PartOutcome, busyMs: number): CommitRequest {
    return {
      attempt: this.ref,
      node: this.tools.node,
      run: this.tools.run,
      rows: [],
      done: [...outcome.done],
      failures: [...outcome.failures],
      unfinished: [...outcome.unfinished],
      busyMs,
    };
  }

  get ref(): CommitRequest['attempt'] {
    const { job, generation, part, attempt } = this.part;
    return { job, generation, part, attempt };
  }

  #told<F extends Failure>(failure: F): F {
    return { ...failure, part: this.part.part, node: this.tools.node };
  }
}

function wordOf({ kind, decision }: Assignment): PartWord {
  if (kind !== 'hook') return kind;
  return decision?.outcome === 'failed' ? 'on_failure' : 'on_success';
}

function rowsFor(spec: JobSpec, { kind, from }: Assignment): MapRows | PairRows | StepRows {
  if (kind === 'map') return spec.functions.reduce ? new PairRows(from) : new MapRows(from);
  // These two give no rows.
  return new StepRows(kind === 'split' || kind === 'hook' ? 'main' : kind, from);
}
