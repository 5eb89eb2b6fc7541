import { Inject, Injectable } from '@nestjs/common';
import { Fault, type JobRecord, type ReplyOf, readOutput } from '@das/contracts';
import { type Place, resultKind } from '@das/jobs';
import type { Answer } from '@das/messaging';
import { SERVICE_CONTEXT, type ServiceContext } from '@das/platform';
import { frontLimits } from './config.js';
import { FrontStore } from './front-store.js';
import { patiently } from './patiently.js';
import { NoResultFault } from './problem.js';
import { failureOf, hasEnded, hookName } from './view.js';

export type RowsPage = Answer<ReplyOf<typeof readOutput>>;

/** A page of the result: NDJSON bytes as the workers wrote them. */
export interface ResultPage {
  readonly bytes: Uint8Array;
  /** Where the next page begins; absent after the last. */
  readonly next: Place | undefined;
}

/** Reads results from committed rows; the same bytes for REST, NATS and `?wait`, on any node. */
@Injectable()
export class Results {
  constructor(
    @Inject(SERVICE_CONTEXT) private readonly context: ServiceContext,
    @Inject(FrontStore) private readonly store: FrontStore,
  ) {}

  /** One page of a finished job's result. */
  async page(record: JobRecord, after: Place | undefined): Promise<ResultPage> {
    const page = await this.rows(record, after);
    const last = page.body.rows.at(-1);
    const next = page.body.more && last !== undefined ? { from: last.from, seq: last.seq } : undefined;
    return { bytes: page.raw, next };
  }

  /** The whole result of a finished job, page by page; holds one page. Once begun it waits for a store that is away. */
  async *all(record: JobRecord): AsyncGenerator<Uint8Array, void> {
    let page = await this.page(record, undefined);
    for (;;) {
      if (page.bytes.length > 0) yield page.bytes;
      const next = page.next;
      if (next === undefined) return;
      page = await this.patiently(() => this.page(record, next));
    }
  }

  /** Committed rows behind a place; with `contiguousFrom` up to the first gap. */
  rows({ spec }: JobRecord, after: Place | undefined, contiguousFrom?: number): Promise<RowsPage> {
    const request = { job: spec.job, kind: resultKind(spec.functions), bucket: 0, skipFailed: false, after };
    return this.store.ask(readOutput, contiguousFrom === undefined ? request : { ...request, contiguousFrom });
  }

  /** For a response that has begun. @throws the last fault after `storeAwayMaxMs`. */
  patiently<T>(ask: () => Promise<T>): Promise<T> {
    return patiently(this.context.clock, frontLimits.storeAwayMaxMs, ask);
  }
}

/** @throws Fault JOB_UNFINISHED; NoResultFault. */
export function withResult(record: JobRecord): JobRecord {
  const job = record.spec.job;
  if (!hasEnded(record.state)) {
    const hook = record.decision === undefined ? '' : `: ${hookName(record.decision.outcome)} runs`;
    throw new Fault('JOB_UNFINISHED', `job ${job} is ${record.state}${hook}`, {
      hint: 'add ?follow to read results as they come, or wait for the end of /events',
    });
  }
  if (record.state !== 'succeeded') throw new NoResultFault(job, failureOf(record), record.state);
  return record;
}
