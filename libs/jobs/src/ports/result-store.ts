import type * as contracts from '@das/contracts';
import type { JobEvent, ReplyOf, RequestOf } from '@das/contracts';

/** A reply with its raw block. */
export interface WithRaw<Reply> {
  readonly reply: Reply;
  readonly raw: Uint8Array;
}

/** A row of the outbox: written in the transaction of the change it tells, published afterwards, at least once. */
export interface OutboxRow {
  readonly seq: number;
  readonly event: JobEvent;
}

type Ask<O> = (request: RequestOf<O>) => Promise<ReplyOf<O>>;
type AskRaw<O> = (request: RequestOf<O>, raw: Uint8Array) => Promise<ReplyOf<O>>;
type AskForRaw<O> = (request: RequestOf<O>) => Promise<WithRaw<ReplyOf<O>>>;

/**
 * Role: owns the truth of jobs and is the only judge of terms and commits (DESIGN §4.2). Each method is one transaction:
 * it happened wholly or not at all, and asking again is harmless. Adapters: postgres (apps/results-store), memory.
 * @throws Fault STORE_UNAVAILABLE (retryable; the transaction may or may not have happened), JOB_NOT_FOUND, REQUEST_INVALID.
 */
export interface ResultStore {
  readonly createJob: AskRaw<typeof contracts.createJob>;
  readonly appendBlock: AskRaw<typeof contracts.appendBlock>;
  readonly sealJob: Ask<typeof contracts.sealJob>;
  readonly abandonJob: Ask<typeof contracts.abandonJob>;
  readonly restartSplit: Ask<typeof contracts.restartSplit>;
  readonly readItems: AskForRaw<typeof contracts.readItems>;
  readonly listBlocks: Ask<typeof contracts.listBlocks>;
  readonly readBlob: AskForRaw<typeof contracts.readBlob>;
  readonly findBundle: Ask<typeof contracts.findBundle>;
  readonly putBundleChunk: AskRaw<typeof contracts.putBundleChunk>;
  readonly sealBundle: Ask<typeof contracts.sealBundle>;
  readonly doubtBundle: Ask<typeof contracts.doubtBundle>;
  readonly saveActs: Ask<typeof contracts.saveActs>;
  readonly advanceJob: Ask<typeof contracts.advanceJob>;
  readonly loadJobs: Ask<typeof contracts.loadJobs>;
  readonly loadParts: Ask<typeof contracts.loadParts>;
  readonly stageOutput: AskRaw<typeof contracts.stageOutput>;
  readonly commitPart: AskRaw<typeof contracts.commitPart>;
  readonly readOutput: AskForRaw<typeof contracts.readOutput>;
  readonly getJob: Ask<typeof contracts.getJob>;
  readonly listJobs: Ask<typeof contracts.listJobs>;
  readonly listParts: Ask<typeof contracts.listParts>;
  readonly cancelJob: Ask<typeof contracts.cancelJob>;
  readonly acquireLock: Ask<typeof contracts.acquireLock>;
  readonly renewLock: Ask<typeof contracts.renewLock>;
  readonly releaseLock: Ask<typeof contracts.releaseLock>;
  readonly claimTerm: Ask<typeof contracts.claimTerm>;
  readonly renewTerm: Ask<typeof contracts.renewTerm>;
  readonly currentTerm: Ask<typeof contracts.currentTerm>;
  /** Hands unpublished events to `publish`, oldest first, and forgets the first of them, as many as it gives back. Returns how many; none when it throws. */
  drainOutbox(limit: number, publish: (rows: readonly OutboxRow[]) => Promise<number>): Promise<number>;
  close(): Promise<void>;
}
