import { Inject, Injectable } from '@nestjs/common';
import { Fault, type JobCounts, type JobRecord, type Operation, getJob, jobIdSchema, listJobs } from '@das/contracts';
import type { JobId } from '@das/kernel';
import type { Answer } from '@das/messaging';
import { SERVICE_CONTEXT, type ServiceContext } from '@das/platform';
import { frontLimits } from './config.js';

export interface KnownJob {
  readonly record: JobRecord;
  readonly counts: JobCounts | undefined;
}

/** What the front door asks of the results-store, over the bus. */
@Injectable()
export class FrontStore {
  constructor(@Inject(SERVICE_CONTEXT) private readonly context: ServiceContext) {}

  /** @throws Fault STORE_UNAVAILABLE, SERVICE_UNAVAILABLE, REQUEST_TIMEOUT: nothing is known of the outcome; asking again is harmless. */
  ask<Q, R>(operation: Operation<Q, R>, body: Q, raw?: Uint8Array): Promise<Answer<R>> {
    const timeoutMs = frontLimits.storeTimeoutMs;
    return this.context.bus.call(operation, body, raw === undefined ? { timeoutMs } : { timeoutMs, raw });
  }

  /** A job with its counts; `last` is the newest. @throws Fault JOB_NOT_FOUND. */
  async job(id: string): Promise<KnownJob> {
    const job = await this.resolve(id);
    const { body } = await this.ask(getJob, { job });
    if (body.job === undefined) throw unknownJob(id);
    return { record: body.job, counts: body.counts };
  }

  /** The id that a user's word for a job stands for. @throws Fault JOB_NOT_FOUND. */
  async resolve(id: string): Promise<JobId> {
    if (id !== 'last') {
      const parsed = jobIdSchema.safeParse(id);
      if (!parsed.success) throw unknownJob(id);
      return parsed.data;
    }
    const { body } = await this.ask(listJobs, { limit: 1 });
    const newest = body.jobs[0];
    if (newest === undefined)
      throw new Fault('JOB_NOT_FOUND', 'there is no job yet', { hint: 'das run SCRIPT starts one' });
    return newest.spec.job;
  }
}

function unknownJob(id: string): Fault {
  return new Fault('JOB_NOT_FOUND', `there is no job ${JSON.stringify(id.slice(0, 64))}`, {
    hint: 'das jobs lists them',
  });
}
