import { Inject, Injectable } from '@nestjs/common';
import { Fault, type Functions, type JobRecord, type OutputKind, type ReplyOf, readOutput } from '@das/contracts';
import type { JobId } from '@das/kernel';
import { frontLimits } from './config.js';
import { FrontStore } from './front-store.js';
import { JobSignals } from './job-signals.js';
import { NoResultFault } from './problem.js';
import { failureOf, hasEnded } from './view.js';

/** Which rows are a job's result: those of its last step. */
export function resultKind({ gather, reduce, main }: Functions): OutputKind {
  if (gather || reduce) return 'gather';
  return main ? 'main' : 'map';
}

type Place = { readonly from: number; readonly seq: number };

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
    @Inject(FrontStore) private readonly store: FrontStore,
    @Inject(JobSignals) private readonly signals: JobSignals,
  ) {}

  /** One page of a finished job's result. */
  async page(record: JobRecord, after: Place | undefined): Promise<ResultPage> {
    const page = await this.read(record, after);
    const last = page.body.rows.at(-1);
    const next = page.body.more && last !== undefined ? { from: last.from, seq: last.seq } : undefined;
    return { bytes: page.raw, next };
  }

  /** The whole result of a finished job, page by page; holds one page. */
  async *all(record: JobRecord): AsyncGenerator<Uint8Array, void> {
    let next: Place | undefined;
    do {
      const page = await this.page(record, next);
      if (page.bytes.length > 0) yield page.bytes;
      next = page.next;
    } while (next !== undefined);
  }

  /**
   * The result in order while it comes about: provisional until the job succeeds. A job that ends otherwise, or starts again
   * under a new generation, ends it with the line `{"$failed":{…}}`.
   */
  async *follow(record: JobRecord): AsyncGenerator<Uint8Array, void> {
    const job = record.spec.job;
    const signal = this.signals.expect(job);
    try {
      yield* this.followed(record, (ms) => signal.wait(ms));
    } finally {
      signal.close();
    }
  }

  private async *followed(record: JobRecord, wait: (ms: number) => Promise<void>): AsyncGenerator<Uint8Array, void> {
    let after: Place | undefined;
    for (let reach = 0; ;) {
      const { body, raw } = await this.read(record, after, reach);
      if (body.generation !== record.generation) {
        yield failedLine(restarted(body.generation));
        return;
      }
      const known = inOrder(body.rows, reach, resultKind(record.spec.functions) === 'map');
      if (known.bytes > 0) yield raw.subarray(0, known.bytes);
      after = known.last ?? after;
      reach = known.reach;
      if (known.last !== undefined) continue;
      if (hasEnded(body.state)) {
        yield* this.lastLine(record.spec.job, body.state);
        return;
      }
      await wait(frontLimits.followPollMs);
    }
  }

  private async *lastLine(job: JobId, state: string): AsyncGenerator<Uint8Array, void> {
    if (state !== 'succeeded') yield failedLine(failureOf((await this.store.job(job)).record));
  }

  private read({ spec }: JobRecord, after: Place | undefined, contiguousFrom?: number) {
    const request = { job: spec.job, kind: resultKind(spec.functions), bucket: 0, skipFailed: false, after };
    return this.store.ask(readOutput, contiguousFrom === undefined ? request : { ...request, contiguousFrom });
  }
}

/** @throws Fault JOB_UNFINISHED; NoResultFault. */
export function withResult(record: JobRecord): JobRecord {
  const job = record.spec.job;
  if (!hasEnded(record.state)) {
    throw new Fault('JOB_UNFINISHED', `job ${job} is ${record.state}`, {
      hint: 'add ?follow to read results as they come, or wait for the end of /events',
    });
  }
  if (record.state !== 'succeeded') throw new NoResultFault(job, failureOf(record), record.state);
  return record;
}

type Row = ReplyOf<typeof readOutput>['rows'][number];

/** The rows up to the first gap: their bytes, the last of them, and the first item not reached. Steps (`gather`, `main`) have no gaps. */
export function inOrder(
  rows: readonly Row[],
  reach: number,
  byItem: boolean,
): { bytes: number; last: Place | undefined; reach: number } {
  let [bytes, to] = [0, reach];
  let last: Place | undefined;
  for (const row of rows) {
    if (byItem && row.from > to) break;
    bytes += row.bytes;
    to = row.to;
    last = { from: row.from, seq: row.seq };
  }
  return { bytes, last, reach: to };
}

const restarted = (generation: number) => ({
  code: 'JOB_RESTARTED',
  message: `split() gave other items, so the job started again (generation ${generation}); read the results again`,
});

const failedLine = (failure: object): Uint8Array =>
  new TextEncoder().encode(`${JSON.stringify({ $failed: failure })}\n`);
