import type { OutboxRow, ResultStore } from '@das/jobs';
import type { JobId } from '@das/kernel';
import type { Database } from '../database/database.js';
import * as acts from './acts.js';
import { BlockCache } from './block-cache.js';
import * as code from './code.js';
import { createJob } from './create-job.js';
import { type CommitReply, type CommitTask, commitBatch, commitTask } from './commits.js';
import { GroupCommit } from './group-commit.js';
import * as input from './input.js';
import { drainOutbox } from './outbox.js';
import * as locks from './locks-of-users.js';
import { readOutput } from './read-output.js';
import { deleteOld } from './retention.js';
import { stageOutput } from './staged.js';
import * as terms from './terms.js';
import * as views from './views.js';

/** The store over Postgres. Any number of instances may share one database; all that they know is in it (besides a cache of blocks, which never change). */
export class PostgresResultStore implements ResultStore {
  readonly #commits: GroupCommit<CommitTask, CommitReply>;
  readonly #blocks = new BlockCache();

  /** @param end closes what is below, when the store is closed */
  constructor(
    private readonly db: Database,
    private readonly end: () => Promise<void>,
  ) {
    this.#commits = new GroupCommit((tasks) => commitBatch(db, tasks));
  }

  readonly createJob: ResultStore['createJob'] = (request, raw) => createJob(this.db, request, raw);
  readonly appendBlock: ResultStore['appendBlock'] = (request, raw) => input.appendBlock(this.db, request, raw);
  readonly sealJob: ResultStore['sealJob'] = (request) => input.sealJob(this.db, request);
  readonly abandonJob: ResultStore['abandonJob'] = (request) => input.abandonJob(this.db, request);
  readonly restartSplit: ResultStore['restartSplit'] = (request) => input.restartSplit(this.db, request);
  readonly readItems: ResultStore['readItems'] = (request) => input.readItems(this.db, this.#blocks, request);
  readonly listBlocks: ResultStore['listBlocks'] = (request) => input.listBlocks(this.db, request);
  readonly readBlob: ResultStore['readBlob'] = (request) => code.readBlob(this.db, request);
  readonly findBundle: ResultStore['findBundle'] = (request) => code.findBundle(this.db, request);
  readonly putBundleChunk: ResultStore['putBundleChunk'] = (request, raw) => code.putBundleChunk(this.db, request, raw);
  readonly sealBundle: ResultStore['sealBundle'] = (request) => code.sealBundle(this.db, request);
  readonly doubtBundle: ResultStore['doubtBundle'] = (request) => code.doubtBundle(this.db, request);
  readonly saveActs: ResultStore['saveActs'] = (request) => acts.saveActs(this.db, request);
  readonly advanceJob: ResultStore['advanceJob'] = (request) => acts.advanceJob(this.db, request);
  readonly cancelJob: ResultStore['cancelJob'] = (request) => acts.cancelJob(this.db, request);
  readonly loadJobs: ResultStore['loadJobs'] = (request) => views.loadJobs(this.db, request);
  readonly loadParts: ResultStore['loadParts'] = (request) => views.loadParts(this.db, request);
  readonly getJob: ResultStore['getJob'] = (request) => views.getJob(this.db, request);
  readonly listJobs: ResultStore['listJobs'] = (request) => views.listJobs(this.db, request);
  readonly listParts: ResultStore['listParts'] = (request) => views.listParts(this.db, request);
  readonly readOutput: ResultStore['readOutput'] = (request) => readOutput(this.db, request);
  readonly stageOutput: ResultStore['stageOutput'] = (request, raw) => stageOutput(this.db, request, raw);
  readonly acquireLock: ResultStore['acquireLock'] = (request) => locks.acquireLock(this.db, request);
  readonly renewLock: ResultStore['renewLock'] = (request) => locks.renewLock(this.db, request);
  readonly releaseLock: ResultStore['releaseLock'] = (request) => locks.releaseLock(this.db, request);
  readonly claimTerm: ResultStore['claimTerm'] = (request) => terms.claimTerm(this.db, request);
  readonly renewTerm: ResultStore['renewTerm'] = (request) => terms.renewTerm(this.db, request);
  readonly currentTerm: ResultStore['currentTerm'] = () => terms.currentTerm(this.db);

  /** Group commit: what arrives behind a transaction in flight shares the next one. */
  readonly commitPart: ResultStore['commitPart'] = async (request, raw) => {
    const task = await commitTask(request, raw);
    const { job, generation, part } = request.attempt;
    const key = `${job} ${generation} ${part}`;
    return this.#commits.submit({ task, key, alone: request.sealed !== undefined, bytes: raw.length });
  };

  drainOutbox(limit: number, publish: (rows: readonly OutboxRow[]) => Promise<number>): Promise<number> {
    return drainOutbox(this.db, limit, publish);
  }

  /** Deletes ended jobs older than `keptMs`, broken uploads, and names of locks that nobody takes; a bounded number at a time. */
  async deleteOld(keptMs: number): Promise<JobId[]> {
    await locks.forgetLocks(this.db);
    return deleteOld(this.db, keptMs);
  }

  /** @throws Fault STORE_UNAVAILABLE while the database is away */
  async ping(): Promise<void> {
    await this.db.query('select 1');
  }

  async close(): Promise<void> {
    await this.#commits.idle();
    await this.end();
  }
}
