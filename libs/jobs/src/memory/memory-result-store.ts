import type { Clock } from '@das/kernel';
import { asFault } from '../ports/checked-input.js';
import type { OutboxRow, ResultStore } from '../ports/result-store.js';
import { type MemoryData, type MemoryWorld, emptyData } from './memory-data.js';
import * as code from './memory-code.js';
import * as input from './memory-input.js';
import * as terms from './memory-terms.js';
import * as locks from './memory-locks.js';
import * as views from './memory-views.js';
import * as work from './memory-work.js';

/** The twin of the database for tests: same rules, no disk. Deterministic: time comes from the clock it is given, and nothing is random. */
export class MemoryResultStore implements ResultStore {
  readonly #world: MemoryWorld;

  /** `data` of another instance: two stores over one database. */
  constructor(clock: Clock, data: MemoryData = emptyData()) {
    this.#world = { data, clock };
  }
  /** Another store instance over the same data. */
  twin(): MemoryResultStore {
    return new MemoryResultStore(this.#world.clock, this.#world.data);
  }

  readonly createJob: ResultStore['createJob'] = (r, raw) => this.#ask((world) => input.createJob(world, r, raw));
  readonly appendBlock: ResultStore['appendBlock'] = (r, raw) => this.#ask((world) => input.appendBlock(world, r, raw));
  readonly sealJob: ResultStore['sealJob'] = (r) => this.#ask((world) => input.sealJob(world, r));
  readonly abandonJob: ResultStore['abandonJob'] = (r) => this.#ask((world) => input.abandonJob(world, r));
  readonly restartSplit: ResultStore['restartSplit'] = (r) => this.#ask((world) => input.restartSplit(world, r));
  readonly readItems: ResultStore['readItems'] = (r) => this.#ask((world) => input.readItems(world, r));
  readonly listBlocks: ResultStore['listBlocks'] = (r) => this.#ask((world) => input.listBlocks(world, r));
  readonly readBlob: ResultStore['readBlob'] = (r) => this.#ask((world) => code.readBlob(world, r));
  readonly findBundle: ResultStore['findBundle'] = (r) => this.#ask((world) => code.findBundle(world, r));
  readonly putBundleChunk: ResultStore['putBundleChunk'] = (r, raw) =>
    this.#ask((world) => code.putBundleChunk(world, r, raw));
  readonly sealBundle: ResultStore['sealBundle'] = (r) => this.#ask((world) => code.sealBundle(world, r));
  readonly doubtBundle: ResultStore['doubtBundle'] = (r) => this.#ask((world) => code.doubtBundle(world, r));
  readonly saveActs: ResultStore['saveActs'] = (r) => this.#ask((world) => work.saveActs(world, r));
  readonly advanceJob: ResultStore['advanceJob'] = (r) => this.#ask((world) => work.advanceJob(world, r));
  readonly loadJobs: ResultStore['loadJobs'] = (r) => this.#ask((world) => views.loadJobs(world, r));
  readonly loadParts: ResultStore['loadParts'] = (r) => this.#ask((world) => views.loadParts(world, r));
  readonly stageOutput: ResultStore['stageOutput'] = (r, raw) => this.#ask((world) => work.stageOutput(world, r, raw));
  readonly commitPart: ResultStore['commitPart'] = (r, raw) => this.#ask((world) => work.commitPart(world, r, raw));
  readonly readOutput: ResultStore['readOutput'] = (r) => this.#ask((world) => views.readOutput(world, r));
  readonly getJob: ResultStore['getJob'] = (r) => this.#ask((world) => views.getJob(world, r));
  readonly listJobs: ResultStore['listJobs'] = (r) => this.#ask((world) => views.listJobs(world, r));
  readonly listParts: ResultStore['listParts'] = (r) => this.#ask((world) => views.listParts(world, r));
  readonly cancelJob: ResultStore['cancelJob'] = (r) => this.#ask((world) => work.cancelJob(world, r));
  readonly acquireLock: ResultStore['acquireLock'] = (r) => this.#ask((world) => locks.acquireLock(world, r));
  readonly renewLock: ResultStore['renewLock'] = (r) => this.#ask((world) => locks.renewLock(world, r));
  readonly releaseLock: ResultStore['releaseLock'] = (r) => this.#ask((world) => locks.releaseLock(world, r));

  /** As the database does in its rounds: locks that nobody held for `keptMs` are forgotten, their fences are not. */
  forgetLocks(keptMs: number): void {
    locks.forgetLocks(this.#world, keptMs);
  }

  readonly claimTerm: ResultStore['claimTerm'] = (r) => this.#ask((world) => terms.claimTerm(world, r));
  readonly renewTerm: ResultStore['renewTerm'] = (r) => this.#ask((world) => terms.renewTerm(world, r));
  readonly currentTerm: ResultStore['currentTerm'] = () => this.#ask((world) => terms.currentTerm(world));

  /** One at a time and whole or not at all: rules are asked before anything is changed. */
  async #ask<T>(act: (world: MemoryWorld) => T): Promise<T> {
    try {
      return act(this.#world);
    } catch (thrown) {
      throw asFault(thrown);
    }
  }

  async drainOutbox(limit: number, publish: (rows: readonly OutboxRow[]) => Promise<number>): Promise<number> {
    const { data } = this.#world;
    const rows = data.outbox.slice(0, limit);
    const published = rows.slice(0, rows.length > 0 ? await publish(rows) : 0);
    data.outbox = data.outbox.filter((row) => !published.includes(row));
    return published.length;
  }

  async close(): Promise<void> {}
}
