import { Controller, Inject } from '@nestjs/common';
import {
  Fault,
  type JobView,
  type ReplyOf,
  type RequestOf,
  jobsCancel,
  jobsGet,
  jobsList,
  jobsResults,
  jobsSubmit,
  jobsUploading,
} from '@das/contracts';
import { type Answer, Answers, type CallContext } from '@das/messaging';
import { FrontStore } from './front-store.js';
import { JobSignals } from './job-signals.js';
import { Jobs } from './jobs.js';
import { Metrics } from './metrics.js';
import { Results, withResult } from './results.js';
import { RunningUploads } from './running-uploads.js';
import { Submitter } from './submitter.js';
import { hasEnded, jobView } from './view.js';

/** The same over the bus, in plain JSON: `nats req das.v1.jobs.submit '{…}'`. */
@Controller()
export class JobsBusController {
  constructor(
    @Inject(Submitter) private readonly submitter: Submitter,
    @Inject(JobSignals) private readonly signals: JobSignals,
    @Inject(FrontStore) private readonly store: FrontStore,
    @Inject(Jobs) private readonly jobs: Jobs,
    @Inject(Results) private readonly results: Results,
    @Inject(Metrics) private readonly metrics: Metrics,
    @Inject(RunningUploads) private readonly running: RunningUploads,
  ) {}

  @Answers(jobsSubmit)
  async submit(body: RequestOf<typeof jobsSubmit>, { traceparent }: CallContext): Promise<JobView> {
    const { idempotencyKey: key, ...submission } = body;
    const record = await this.submitter.submit(submission, { job: this.submitter.newJobId(), traceparent, key });
    return jobView(record, undefined);
  }

  /** For other front doors, which have the same key of a client. */
  @Answers(jobsUploading)
  async uploading({ job }: RequestOf<typeof jobsUploading>): Promise<ReplyOf<typeof jobsUploading>> {
    return { uploading: this.running.has(job) };
  }

  @Answers(jobsGet)
  get({ job }: RequestOf<typeof jobsGet>): Promise<JobView> {
    return this.jobs.view(job);
  }

  @Answers(jobsList)
  list(query: RequestOf<typeof jobsList>): Promise<ReplyOf<typeof jobsList>> {
    return this.jobs.list(query);
  }

  @Answers(jobsCancel)
  cancel({ job }: RequestOf<typeof jobsCancel>): Promise<JobView> {
    return this.jobs.cancel(job);
  }

  /** A page; the same bytes as REST when all pages are put together. */
  @Answers(jobsResults)
  async result({
    job: word,
    cursor,
    waitMs,
  }: RequestOf<typeof jobsResults>): Promise<Answer<ReplyOf<typeof jobsResults>>> {
    const after = cursor === undefined ? undefined : placeOf(cursor);
    const job = await this.store.resolve(word);
    const signal = this.signals.expect(job);
    try {
      const now = await this.store.job(job);
      const { record } = hasEnded(now.record.state) || waitMs === 0 ? now : await this.jobs.ended(job, signal, waitMs);
      const { bytes, next } = await this.results.page(withResult(record), after);
      this.metrics.count('das_results_bytes_total', bytes.length);
      return { body: next === undefined ? {} : { next: `${next.from}.${next.seq}` }, raw: bytes };
    } finally {
      signal.close();
    }
  }
}

/** A cursor is the place of the last row told: `<from>.<seq>`. @throws Fault REQUEST_INVALID. */
export function placeOf(cursor: string): { from: number; seq: number } {
  const match = /^(\d{1,15})\.(\d{1,15})$/.exec(cursor);
  if (match === null)
    throw new Fault('REQUEST_INVALID', 'cursor is not one of ours', {
      field: 'cursor',
      expected: 'das-next of the page before',
    });
  return { from: Number(match[1]), seq: Number(match[2]) };
}
