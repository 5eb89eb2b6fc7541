import { type JobRecord, getJob } from '@das/contracts';
import type { Clock, JobId } from '@das/kernel';
import type { FrontStore } from './front-store.js';
import { isPassing, patiently } from './patiently.js';

/** The step that makes a submission a job. */
export class Acceptance {
  constructor(
    private readonly store: FrontStore,
    private readonly clock: Clock,
    private readonly job: JobId,
  ) {}

  /**
   * Tries `act`, again and again while the store is away. An answer that is lost says nothing of what happened: each time the store is asked
   * for the job before anything is said of it.
   * @throws the fault of `act`, or the last one after `ms`, unless the job is there and past `submitted`.
   */
  of(act: () => Promise<JobRecord>, ms: number): Promise<JobRecord> {
    return patiently(this.clock, ms, async () => {
      try {
        return await act();
      } catch (error) {
        if (!isPassing(error)) throw error;
        const { body } = await this.store.ask(getJob, { job: this.job });
        if (body.job === undefined || body.job.state === 'submitted') throw error;
        return body.job;
      }
    });
  }
}
