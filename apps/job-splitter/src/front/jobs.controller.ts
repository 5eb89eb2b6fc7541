import { Controller, Delete, Get, Inject, Param, Post, Query, Req, Res } from '@nestjs/common';
import type { JobRecord, JobView } from '@das/contracts';
import { SERVICE_CONTEXT, type ServiceContext } from '@das/platform';
import type { Request, Response } from 'express';
import { readJson } from './body.js';
import { CodeBundles } from './code-bundles.js';
import { FollowResults } from './follow-results.js';
import { FrontStore, type KnownJob } from './front-store.js';
import { type EndSignal, JobSignals } from './job-signals.js';
import { Jobs } from './jobs.js';
import { Metrics } from './metrics.js';
import { readMultipart } from './multipart.js';
import { followQuery, listQuery, noQuery, parseQuery, parseWait, partsQuery, submitQuery } from './query.js';
import { Results, withResult } from './results.js';
import { sendPages } from './streaming.js';
import { parseKey } from './submission-key.js';
import { jsonBodyBytesMax } from './submission.js';
import { Submitter } from './submitter.js';
import { hasEnded, jobView } from './view.js';

const ndjson = 'application/x-ndjson';

/** What a submission waits for. */
interface Waiting {
  readonly waitMs: number;
  readonly result: boolean;
}

/** REST of jobs (DESIGN §7). Faults become problem documents in the filter. */
@Controller('v1/jobs')
export class JobsController {
  constructor(
    @Inject(SERVICE_CONTEXT) private readonly context: ServiceContext,
    @Inject(Submitter) private readonly submitter: Submitter,
    @Inject(JobSignals) private readonly signals: JobSignals,
    @Inject(FrontStore) private readonly store: FrontStore,
    @Inject(Jobs) private readonly jobs: Jobs,
    @Inject(Results) private readonly results: Results,
    @Inject(FollowResults) private readonly following: FollowResults,
    @Inject(CodeBundles) private readonly bundles: CodeBundles,
    @Inject(Metrics) private readonly metrics: Metrics,
  ) {}

  @Post()
  async submit(@Req() request: Request, @Res() response: Response, @Query() query: unknown): Promise<void> {
    const { wait, results } = parseQuery(submitQuery, query);
    const waitMs = wait === undefined ? 0 : parseWait(wait);
    const job = this.submitter.newJobId();
    // Listening before the job exists: a trivial one may end before its creation is answered.
    const signal = this.signals.expect(job);
    try {
      const record = await this.accept(request, job);
      const waiting = { waitMs, result: results || accepts(request, ndjson) };
      if (record.spec.job === job) await this.answer(record, signal, waiting, response);
      else await this.answerEarlier(record, waiting, response);
    } finally {
      signal.close();
    }
  }

  /** The job of an earlier submission with the same key. */
  private async answerEarlier(record: JobRecord, waiting: Waiting, response: Response): Promise<void> {
    const signal = this.signals.expect(record.spec.job);
    try {
      // It may have ended long ago, and be announced no more.
      if (hasEnded(record.state)) signal.tell(record.state);
      await this.answer(record, signal, waiting, response);
    } finally {
      signal.close();
    }
  }

  private async answer(
    record: JobRecord,
    signal: EndSignal,
    { waitMs, result }: Waiting,
    response: Response,
  ): Promise<void> {
    const { job } = record.spec;
    response.setHeader('Location', `/v1/jobs/${job}`);
    if (waitMs > 0 && result)
      await this.answerResult(await this.jobs.endedRecord(record, signal, waitMs), signal, response);
    else if (waitMs > 0) sendView(await this.jobs.ended(job, signal, waitMs), response);
    else sendView({ record, counts: undefined }, response);
  }

  private async accept(request: Request, job: JobRecord['spec']['job']): Promise<JobRecord> {
    const traceparent = request.get('traceparent');
    const key = request.get('idempotency-key');
    if (key !== undefined) parseKey(key);
    if (request.is('multipart/form-data') !== false) {
      const { submission, input, archive, release } = await readMultipart(request, this.bundles.room);
      try {
        return await this.submitter.submit(submission, { job, traceparent, key, upload: input, archive });
      } finally {
        release();
      }
    }
    const body = await readJson(request, this.context.clock, jsonBodyBytesMax);
    return this.submitter.submit(body, { job, traceparent, key });
  }

  @Get()
  list(@Query() query: unknown): Promise<{ jobs: JobView[]; next?: string }> {
    return this.jobs.list(parseQuery(listQuery, query));
  }

  @Get(':id')
  view(@Param('id') id: string, @Query() query: unknown): Promise<JobView> {
    parseQuery(noQuery, query);
    return this.jobs.view(id);
  }

  @Delete(':id')
  cancel(@Param('id') id: string): Promise<JobView> {
    return this.jobs.cancel(id);
  }

  @Get(':id/parts')
  parts(@Param('id') id: string, @Query() query: unknown) {
    return this.jobs.parts(id, parseQuery(partsQuery, query));
  }

  @Get(':id/results')
  async result(@Param('id') id: string, @Query() query: unknown, @Res() response: Response): Promise<void> {
    const { follow } = parseQuery(followQuery, query);
    const { record } = await this.store.job(id);
    if (!follow) return this.sendResult(record, response);
    if (hasEnded(record.state)) withResult(record);
    response.type(ndjson);
    response.flushHeaders();
    this.metrics.count(
      'das_results_bytes_total',
      await sendPages(
        response,
        this.following.follow(record, () => response.destroyed),
      ),
    );
  }

  /** The result, or the job as it is when it did not end in time. */
  private async answerResult(record: JobRecord, { result }: EndSignal, response: Response): Promise<void> {
    if (record.state === 'succeeded' && result !== undefined)
      await this.sendResult(record, response, [Buffer.from(result)]);
    else if (hasEnded(record.state)) await this.sendResult(record, response);
    else sendView({ record, counts: undefined }, response);
  }

  private async sendResult(record: JobRecord, response: Response, known?: Iterable<Uint8Array>): Promise<void> {
    withResult(record);
    response.status(200).type(ndjson);
    this.metrics.count('das_results_bytes_total', await sendPages(response, known ?? this.results.all(record)));
  }
}

/** Named in so many words: a client that takes anything gets the job. */
function accepts(request: Request, type: string): boolean {
  return (request.get('accept') ?? '').toLowerCase().includes(type);
}

function sendView({ record, counts }: KnownJob, response: Response): void {
  response.status(hasEnded(record.state) ? 200 : 202).json(jobView(record, counts));
}
