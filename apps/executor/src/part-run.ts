import {
  type Assignment,
  type BlockHead,
  type CommitRequest,
  type Failure,
  type Fault,
  type JobSpec,
  type SandboxLayer,
  appendBlock,
  restartSplit,
} from '@das/contracts';
import {
  type Bounds,
  type Exit,
  type ItemFailure,
  type LimitKind,
  type LockAnswer,
  type LockCall,
  MapRows,
  PairRows,
  type PartOutcome,
  type Rows,
  type RunEnd,
  type ScriptFailure,
  StepRows,
  type WorkSink,
  crashOutcome,
  explained,
  goneReason,
  itemsDone,
  notImported,
  partOutcome,
  raised,
} from '@das/execution';
import { type NodeId, assertNever } from '@das/kernel';
import type { AttemptLocks } from './attempt-locks.js';
import { type Commit, fatalCommit } from './commit.js';
import type { HoldLedger } from './hold-ledger.js';
import { Output, RefusedError } from './output.js';
import { OutputLimit } from './output-limit.js';
import { rowsFor, wordOf } from './part-words.js';
import { refusedByStore } from './refusals.js';
import type { StoreClient } from './store-client.js';
import type { EndedFor } from './worker-end.js';
import { timeoutOf } from './time-out.js';

interface PartTools {
  readonly node: NodeId;
  /** Names this life of the attempt to the store. */
  readonly run: string;
  /** What keeps its worker in. */
  readonly sandbox: SandboxLayer;
  readonly store: StoreClient;
  readonly ledger: HoldLedger;
  readonly locks: AttemptLocks;
  readonly bounds: Bounds;
  /** Which limits of its group struck the worker since this was asked last. */
  readonly struck: () => Promise<{ readonly memory: boolean; readonly processes: boolean }>;
  /** Ends the worker: the part has reached a limit. */
  readonly over: (limit: LimitKind) => void;
  readonly signal: AbortSignal;
}
interface Ended {
  readonly busyMs: number;
  /** What the worker was at last. */
  readonly item: number | undefined;
  /** Why we ended it, if we did. */
  readonly why: EndedFor | undefined;
  /** The system ended something of it for want of memory. */
  readonly memory: boolean;
}

/** Hears what a worker gives for one part, and makes the commit of it. */
export class PartRun implements WorkSink {
  readonly output: Output;
  readonly #rows: MapRows | PairRows | StepRows;
  readonly #failures: ItemFailure[] = [];
  #next: number;
  readonly #limit: OutputLimit;

  constructor(
    private readonly spec: JobSpec,
    private readonly part: Assignment,
    private readonly tools: PartTools,
  ) {
    this.#next = part.from;
    this.#rows = rowsFor(spec, part);
    const { run, store, ledger, signal, bounds, over } = tools;
    this.#limit = new OutputLimit(bounds.partOutputBytes, () => over('partOutput'));
    this.output = new Output(this.#rows satisfies Rows, this.ref, run, store, ledger, signal);
  }

  results(items: number, lines: Uint8Array): void | Promise<void> {
    if (!(this.#rows instanceof MapRows)) throw new TypeError('results of a part that has none');
    const taken = this.#limit.lines(items, lines);
    if (taken.items === 0) return;
    this.#rows.add(taken.items, lines.subarray(0, taken.bytes));
    this.#next += taken.items;
    return this.output.grown();
  }

  pairs(items: number, buckets: ReadonlyArray<{ bucket: number; lines: Uint8Array }>): void | Promise<void> {
    if (!(this.#rows instanceof PairRows)) throw new TypeError('pairs of a part that has none');
    if (!this.#limit.fits(buckets.reduce((sum, { lines }) => sum + lines.length, 0))) return;
    this.#rows.add(items, buckets);
    this.#next += items;
    return this.output.grown();
  }

  failed(item: number, failure: ScriptFailure): void | Promise<void> {
    if (this.#rows instanceof StepRows) throw new TypeError('a failed item of a part that has none');
    if (this.#limit.over) return;
    this.#rows.skip();
    this.#next = item + 1;
    if (failure.unexplained === true) return this.#explained(item, failure);
    this.#failures.push({ ...this.#told(raised(failure)), item });
  }

  /** What the worker saw only the end of may have been a limit of its group. */
  async #explained(item: number, failure: ScriptFailure): Promise<void> {
    const struck = await this.tools.struck();
    const told = explained(item, failure, struck, this.tools.bounds.words);
    this.#failures.push({ ...this.#told(told), item });
  }

  lines(lines: Uint8Array): void | Promise<void> {
    if (!(this.#rows instanceof StepRows)) throw new TypeError('lines of a part that is no step');
    if (!this.#limit.fits(lines.length)) return;
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
        // Done before it could be ended; what did not fit was not taken.
        if (this.#limit.over) return this.#gone({ code: 0, signal: null }, about);
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
  crashedImporting(exit: Exit, why: Failure | undefined, memory: boolean): Commit {
    const { from, to } = this.part;
    const because = { memory, timeoutMs: undefined };
    const reason = why ?? goneReason(wordOf(this.part), from, exit, because, this.tools.bounds.words);
    return this.#commit(crashOutcome({ from, to }, from, undefined, this.#told(reason)), 0);
  }

  #gone(exit: Exit, about: Ended): Commit {
    const { from, to, kind } = this.part;
    const { why, memory, busyMs } = about;
    // What it gave too much of is the next that would be told, wherever it is by now.
    const item = why === 'partOutput' ? undefined : about.item;
    const at = item !== undefined && item >= this.#next && item < to ? item : this.#next;
    const because = {
      ended: why === 'importing' ? undefined : why,
      memory,
      timeoutMs: timeoutOf(kind, this.spec.limits.timeoutMs),
    };
    const reason = goneReason(wordOf(this.part), at, exit, because, this.tools.bounds.words);
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
      sandbox: this.tools.sandbox,
      rows: [],
      done: [...outcome.done],
      failures: [...outcome.failures],
      unfinished: [...outcome.unfinished],
      busyMs,
      ...(this.part.last === true ? { last: true } : {}),
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
