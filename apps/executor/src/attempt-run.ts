import type { Assignment, CommitReply, JobSpec } from '@das/contracts';
import { commitPart } from '@das/contracts';
import {
  type Bounds,
  type PooledWorker,
  type RunEnd,
  type WorkSink,
  WorkerGoneError,
  boundsOf,
  importTimedOut,
  nextTurn,
} from '@das/execution';
import { currentTraceparent, unlessAborted, withSpan } from '@das/platform';
import { AttemptLocks } from './attempt-locks.js';
import { AttemptLogs } from './attempt-logs.js';
import type { AttemptTools } from './attempt-tools.js';
import type { Commit, Judged } from './commit.js';
import type { HeldCommit } from './held-commit.js';
import type { TakenCode } from './job-code.js';
import { underLease } from './lease.js';
import { ItemPages } from './pages.js';
import { PartRun } from './part-run.js';
import { isLasting } from './refusals.js';
import { StoppedError } from './store-client.js';
import { timeoutOf } from './time-out.js';
import { workOf } from './work.js';
import { WorkerEnd } from './worker-end.js';

/** Importing may take longer than an item (ms). */
const importMsMin = 60_000;

/** A commit that takes longer is not answered at once (ms): a quiet cluster needs 2 to 20. */
const answerMs = 1_000;

/** One attempt on this node, from its items to the store's word. */
export class AttemptRun {
  readonly #stop = new AbortController();
  /** Of what the worker is fed with: over when the worker is done. */
  readonly #input = new AbortController();
  readonly #pages: ItemPages | undefined;
  readonly #part: PartRun;
  #worker: PooledWorker | undefined;
  #startedMs: number | undefined;
  readonly #end: WorkerEnd;
  readonly #bounds: Bounds;
  /** Once it is done: the commit as it can be kept. */
  held: (() => HeldCommit) | undefined;
  #logged: Promise<void> = Promise.resolve();

  constructor(
    private readonly tools: AttemptTools,
    readonly spec: JobSpec,
    readonly assignment: Assignment,
  ) {
    const { node, store, ledger, newId, sandbox } = tools;
    const { timeoutMs, resources = {} } = spec.limits;
    this.#bounds = boundsOf(resources, tools.limits);
    this.#end = new WorkerEnd(tools.clock, timeoutOf(assignment.kind, timeoutMs), this.#bounds.wallMs);
    const fetched = assignment.kind === 'map' && spec.input.kind !== 'range';
    this.#stop.signal.addEventListener('abort', () => this.#input.abort());
    this.#pages = fetched ? new ItemPages(store, assignment, this.#input.signal) : undefined;
    const locks = new AttemptLocks(tools.locks, node, assignment, this.#input.signal);
    this.#part = new PartRun(spec, assignment, {
      ...{ node, run: newId(), sandbox, store, ledger, locks, bounds: this.#bounds, signal: this.#stop.signal },
      struck: () => this.#end.struck(),
      over: (limit) => this.#end.now(limit),
    });
  }

  /** Fetches ahead what the worker will need first. */
  prepare(): void {
    this.tools.code.ensure(this.spec).catch(() => undefined);
    this.#pages?.ahead();
  }

  get stopped(): boolean {
    return this.#stop.signal.aborted;
  }

  /** How far it is, for heartbeats. */
  progress(): { items: number; runningMs: number } {
    if (this.#startedMs === undefined) return { items: 0, runningMs: 0 };
    const { item } = this.#worker?.runtime.position() ?? {};
    const { kind, from, to } = this.assignment;
    const items = kind === 'map' && item !== undefined ? Math.min(Math.max(item - from, 0), to - from) : 0;
    return { items, runningMs: this.tools.clock.monotonic() - this.#startedMs };
  }

  /** Ends its worker, kindly first, and forgets its output. Resolves when the worker is gone. */
  async stop(): Promise<void> {
    this.#stop.abort();
    this.#part.output.drop();
    await this.#worker?.cancel();
  }

  /**
   * Runs the part. What the store will never give or take is a commit, too: of a part that failed for good.
   * @throws StoppedError, RefusedError, Fault of a job that is over, NodeUnfitError of a node that can run none of it, NotStartedError or WorkerGoneError of a
   * machine that cannot start workers.
   */
  async run(): Promise<Commit> {
    try {
      return await this.#runAll();
    } catch (error) {
      if (this.stopped || !isLasting(error)) throw error;
      return this.#part.refused(error);
    }
  }

  /**
   * Sends what is left of the output, and the commit, until the store answers; one that it will never take is replaced by that refusal.
   * `onUnanswered`: told, perhaps more than once, when it does not do so at once; what it is given is the commit as it can be kept.
   * @throws StoppedError, RefusedError; Error with the reasons when the store refuses that, too.
   */
  async commit(commit: Commit, onUnanswered: (held: () => HeldCommit) => void = () => undefined): Promise<Judged> {
    const held = (): HeldCommit => this.#heldWith(commit);
    this.held = held;
    const unanswered = (): void => onUnanswered(held);
    const cancel = this.tools.clock.timer(answerMs, unanswered);
    try {
      return { commit, reply: await this.#send(commit, unanswered) };
    } catch (error) {
      if (this.stopped || !isLasting(error)) throw error;
      const { fatal } = commit.request;
      if (fatal !== undefined) throw new Error(`${error.message} (when told of: ${fatal.message})`, { cause: error });
      return await this.commit(this.#part.refused(error), onUnanswered);
    } finally {
      cancel();
    }
  }

  /** With all of its output that the store is not known to have. */
  #heldWith({ request, keepsOutput, items }: Commit): HeldCommit {
    const left = keepsOutput ? this.#part.output.left() : [];
    return {
      ...{ assignment: this.assignment, request, items, traceparent: this.spec.traceparent },
      rows: left.map(({ row }) => row),
      raw: left.flatMap(({ chunks }) => chunks),
    };
  }

  async #runAll(): Promise<Commit> {
    await withSpan('items-read', {}, () =>
      Promise.all([this.#unlessStopped(this.tools.code.ensure(this.spec)), this.#pages?.ready()]),
    );
    this.#check();
    const { job, generation } = this.assignment;
    const { language, network, venv } = this.spec;
    const worker = await this.tools.pools.acquire({ language, job, generation, network, venv });
    const logs = new AttemptLogs(this.tools.logs, this.tools.clock, this.assignment, this.tools.node, this.#bounds);
    worker.onPrint = logs.hear;
    this.#end.of((this.#worker = worker));
    try {
      this.#check();
      const commit = await withSpan('worker-run', {}, () => this.#runIn(worker));
      await nextTurn();
      if (worker.loaded) this.tools.pools.release(worker);
      else worker.kill();
      return commit;
    } catch (error) {
      worker.kill();
      throw error;
    } finally {
      this.#worker = undefined;
      this.#input.abort();
      this.#logged = logs.finish();
    }
  }

  /** Who sees the end of the job finds its log whole. */
  #send({ request, keepsOutput }: Commit, onFailed: () => void): Promise<CommitReply> {
    return withSpan('commit', {}, async () => {
      const { rows, raw } = keepsOutput ? await this.#part.output.finish() : { rows: [], raw: new Uint8Array() };
      await this.#logged;
      const { store } = this.tools;
      const { body } = await store.ask(commitPart, { ...request, rows }, this.#stop.signal, raw, onFailed);
      this.#part.output.drop();
      return body;
    });
  }

  async #runIn(worker: PooledWorker): Promise<Commit> {
    this.#startedMs = this.tools.clock.monotonic();
    if (!worker.loaded) {
      const failed = await this.#load(worker);
      if (failed !== undefined) return failed;
    }
    const startedMs = this.tools.clock.monotonic();
    const attributes = { pid: worker.process.pid, 'das.part': this.assignment.part };
    const end = await withSpan(`worker.${this.assignment.kind}`, { attributes }, () => this.#work(worker));
    const busyMs = this.tools.clock.monotonic() - startedMs;
    // Before anything is waited for: it cannot be read any more once all of the worker is gone.
    const { item } = worker.runtime.position();
    const memory = end.kind === 'gone' && (await this.#end.struck()).memory;
    return this.#part.ended(end, { busyMs, item, why: this.#end.why, memory });
  }

  /** Imports the script; the commit to make when that fails. */
  async #load(worker: PooledWorker): Promise<Commit | undefined> {
    const taking = this.tools.code.take(this.spec);
    // Also of what nobody waits for any more.
    taking.then(({ release }) => worker.gone.then(release)).catch(() => undefined);
    const { text, ...folders } = await this.#unlessStopped(taking);
    const { job, language, filename, params, command } = this.spec;
    const limitMs = Math.max(this.spec.limits.timeoutMs ?? 0, importMsMin);
    const cancel = this.#end.whileImporting(limitMs);
    try {
      await worker.limit(this.#bounds);
      const script = { job, language, filename, text, params, command };
      const bound = { node: this.tools.node, limits: this.#bounds, ...(await shownTo(worker, folders)) };
      const failure = await worker.runtime.load({ ...script, ...bound });
      worker.loaded = failure === undefined;
      return failure === undefined ? undefined : this.#part.fatal(failure);
    } catch (error) {
      this.#check();
      if (!(error instanceof WorkerGoneError)) throw error;
      const late = this.#end.why === 'importing' ? importTimedOut(limitMs) : undefined;
      return this.#part.crashedImporting(error.exit, late, (await this.#end.struck()).memory);
    } finally {
      cancel();
    }
  }

  async #work(worker: PooledWorker): Promise<RunEnd> {
    const work = workOf(this.spec, this.assignment, {
      store: this.tools.store,
      signal: this.#input.signal,
      pages: this.#pages?.next,
      traceparent: currentTraceparent() ?? this.spec.traceparent,
    });
    const cancel = this.#end.whileRunning(worker);
    try {
      const run = (): Promise<RunEnd> => worker.runtime.run(work, this.#part satisfies WorkSink);
      const held = { ...this.tools, worker, attempt: this.#part.ref, signal: this.#stop.signal };
      const end = await (this.assignment.kind === 'hook' ? underLease(held, run) : run());
      this.#check();
      return end;
    } finally {
      cancel();
    }
  }

  /** Others may want it as well, so it goes on; this attempt does not wait for it. */
  #unlessStopped<T>(wanted: Promise<T>): Promise<T> {
    return unlessAborted(this.#stop.signal, wanted, () => new StoppedError());
  }

  #check(): void {
    if (this.stopped) throw new StoppedError();
  }
}

/** Where the worker finds the folders of its code. @throws NotStartedError. */
async function shownTo(
  { process }: PooledWorker,
  { folder, packages }: Pick<TakenCode, 'folder' | 'packages'>,
): Promise<Pick<TakenCode, 'folder' | 'packages'>> {
  return {
    ...(folder !== undefined && { folder: await process.bind(folder, 'code') }),
    ...(packages !== undefined && { packages: await process.bind(packages, 'packages') }),
  };
}
