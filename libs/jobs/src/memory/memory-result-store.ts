import type { ReplyOf, RequestOf } from '@das/contracts';
import type * as contracts from '@das/contracts';
import type { Clock } from '@das/kernel';
import type { OutboxRow, ResultStore } from '../ports/result-store.js';
import { type MemoryData, type MemoryWorld, emptyData } from './memory-data.js';
import * as input from './memory-input.js';
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

  readonly createJob: ResultStore['createJob'] = async (r, raw) => input.createJob(this.#world, r, raw);
  readonly appendBlock: ResultStore['appendBlock'] = async (r, raw) => input.appendBlock(this.#world, r, raw);
  readonly sealJob: ResultStore['sealJob'] = async (r) => input.sealJob(this.#world, r);
  readonly abandonJob: ResultStore['abandonJob'] = async (r) => input.abandonJob(this.#world, r);
  readonly restartSplit: ResultStore['restartSplit'] = async (r) => input.restartSplit(this.#world, r);
  readonly readItems: ResultStore['readItems'] = async (r) => input.readItems(this.#world, r);
  readonly listBlocks: ResultStore['listBlocks'] = async (r) => input.listBlocks(this.#world, r);
  readonly readBlob: ResultStore['readBlob'] = async (r) => input.readBlob(this.#world, r);
  readonly saveActs: ResultStore['saveActs'] = async (r) => work.saveActs(this.#world, r);
  readonly advanceJob: ResultStore['advanceJob'] = async (r) => work.advanceJob(this.#world, r);
  readonly loadJobs: ResultStore['loadJobs'] = async (r) => views.loadJobs(this.#world, r);
  readonly loadParts: ResultStore['loadParts'] = async (r) => views.loadParts(this.#world, r);
  readonly stageOutput: ResultStore['stageOutput'] = async (r, raw) => work.stageOutput(this.#world, r, raw);
  readonly commitPart: ResultStore['commitPart'] = async (r, raw) => work.commitPart(this.#world, r, raw);
  readonly readOutput: ResultStore['readOutput'] = async (r) => views.readOutput(this.#world, r);
  readonly getJob: ResultStore['getJob'] = async (r) => views.getJob(this.#world, r);
  readonly listJobs: ResultStore['listJobs'] = async (r) => views.listJobs(this.#world, r);
  readonly listParts: ResultStore['listParts'] = async (r) => views.listParts(this.#world, r);
  readonly cancelJob: ResultStore['cancelJob'] = async (r) => work.cancelJob(this.#world, r);

  async claimTerm(request: RequestOf<typeof contracts.claimTerm>): Promise<ReplyOf<typeof contracts.claimTerm>> {
    const { data, clock } = this.#world;
    if (data.term === request.above) {
      data.term++;
      data.leader = request.node;
      data.renewedAt = clock.now();
    }
    const { term, leader } = data;
    return { term, leader, granted: term === request.above + 1 && leader === request.node };
  }

  async renewTerm(request: RequestOf<typeof contracts.renewTerm>): Promise<ReplyOf<typeof contracts.renewTerm>> {
    const { data, clock } = this.#world;
    const { term, leader } = data;
    const held = term === request.term && leader === request.node;
    if (held) data.renewedAt = clock.now();
    return { term, leader, held };
  }

  async currentTerm(): Promise<ReplyOf<typeof contracts.currentTerm>> {
    const { data, clock } = this.#world;
    return { term: data.term, leader: data.leader, renewedAgoMs: clock.now() - data.renewedAt };
  }

  async drainOutbox(limit: number, publish: (rows: readonly OutboxRow[]) => Promise<void>): Promise<number> {
    const { data } = this.#world;
    const rows = data.outbox.slice(0, limit);
    if (rows.length > 0) await publish(rows);
    data.outbox = data.outbox.filter((row) => !rows.includes(row));
    return rows.length;
  }

  async close(): Promise<void> {}
}
