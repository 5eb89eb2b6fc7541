import { Inject, Injectable } from '@nestjs/common';
import {
  Fault,
  type JobRecord,
  type JobState,
  type JobView,
  type PartView,
  cancelJob,
  listJobs,
  listParts,
} from '@das/contracts';
import type { JobId, PartId } from '@das/kernel';
import { SERVICE_CONTEXT, type ServiceContext } from '@das/platform';
import { frontLimits } from './config.js';
import { FrontStore, type KnownJob } from './front-store.js';
import type { EndSignal } from './job-signals.js';
import { hasEnded, hookName, jobView } from './view.js';

export interface JobsQuery {
  readonly state?: JobState | undefined;
  readonly limit: number;
  readonly cursor?: string | undefined;
}

/** What users ask of jobs that exist. */
@Injectable()
export class Jobs {
  constructor(
    @Inject(SERVICE_CONTEXT) private readonly context: ServiceContext,
    @Inject(FrontStore) private readonly store: FrontStore,
  ) {}

  /** @throws Fault JOB_NOT_FOUND. */
  async view(id: string): Promise<JobView> {
    const { record, counts } = await this.store.job(id);
    return jobView(record, counts);
  }

  /** Newest first. */
  async list(query: JobsQuery): Promise<{ jobs: JobView[]; next?: string }> {
    const { body } = await this.store.ask(listJobs, query);
    const jobs = body.jobs.map((record, i) => jobView(record, body.counts?.[i]));
    return body.next === undefined ? { jobs } : { jobs, next: body.next };
  }

  /** Twice is fine. @throws Fault JOB_DECIDED while it settles, JOB_ENDED for a job that succeeded or failed; JOB_NOT_FOUND. */
  async cancel(id: string): Promise<JobView> {
    const job = await this.store.resolve(id);
    const { body } = await this.store.ask(cancelJob, { job, why: 'cancelled by its owner' });
    if (body.outcome === 'unknown')
      throw new Fault('JOB_NOT_FOUND', `there is no job ${job}`, { hint: 'das jobs lists them' });
    if (body.outcome === 'decided') {
      const { decision } = body.job ?? {};
      throw new Fault(
        'JOB_DECIDED',
        `job ${job} is settling: it is decided that it has ${decision?.outcome ?? 'ended'}, and ${hookName(decision?.outcome)} runs; it cannot be cancelled any more`,
        { hint: 'wait for its end: das events -f follows it' },
      );
    }
    if (body.outcome === 'ended') {
      throw new Fault('JOB_ENDED', `job ${job} has ${body.job?.state ?? 'ended'}; it cannot be cancelled any more`);
    }
    return this.view(job);
  }

  /** Parts with their attempts, in order. */
  async parts(
    id: string,
    query: { limit: number; after?: PartId | undefined },
  ): Promise<{ parts: PartView[]; next?: string }> {
    const job = await this.store.resolve(id);
    const { body } = await this.store.ask(listParts, { job, ...query });
    const last = body.parts.at(-1)?.part;
    return body.more && last !== undefined ? { parts: body.parts, next: last } : { parts: body.parts };
  }

  /**
   * Waits for a job's end: the announcement first, the store every `endPollMs` beside it.
   * Resolves with the job as it is then, or as it is when `ms` are over.
   */
  async ended(job: JobId, signal: EndSignal, ms: number): Promise<KnownJob> {
    const { clock } = this.context;
    const until = clock.monotonic() + ms;
    for (;;) {
      const left = until - clock.monotonic();
      await signal.wait(Math.min(Math.max(0, left), frontLimits.endPollMs));
      // A hint that the store does not confirm must not turn this into a busy loop.
      signal.forget();
      const known = await this.store.job(job);
      if (hasEnded(known.record.state) || clock.monotonic() >= until) return known;
    }
  }

  /** As {@link ended} for who wants the result only: the announcement of a success saves asking the store, a quarter of a trivial job's time. */
  async endedRecord(record: JobRecord, signal: EndSignal, ms: number): Promise<JobRecord> {
    const first = Math.min(ms, frontLimits.endPollMs);
    await signal.wait(first);
    if (signal.state === 'succeeded') return { ...record, state: 'succeeded' };
    return (await this.ended(record.spec.job, signal, ms - first)).record;
  }
}
