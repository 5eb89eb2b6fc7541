import { Inject, Injectable } from '@nestjs/common';
import type { JobRecord } from '@das/contracts';
import { messageOf } from '@das/kernel';
import { SERVICE_CONTEXT, type ServiceContext } from '@das/platform';
import { Acceptance } from './acceptance.js';
import type { Block } from './block-builder.js';
import { frontLimits } from './config.js';
import { Creation, type NewJob } from './creation.js';
import { FrontStore } from './front-store.js';
import { RunningUploads } from './running-uploads.js';
import { Upload } from './upload.js';

/** Blocks in their order, as they are completed. */
export type InputBlocks = AsyncIterable<readonly Block[]> | Iterable<readonly Block[]>;

/** Stores new jobs and their input. Memory per upload: one block on its way or the last one sent, one waiting, one being cut. */
@Injectable()
export class Uploads {
  constructor(
    @Inject(SERVICE_CONTEXT) private readonly context: ServiceContext,
    @Inject(FrontStore) private readonly store: FrontStore,
    @Inject(Creation) private readonly creation: Creation,
    @Inject(RunningUploads) private readonly running: RunningUploads,
  ) {}

  /** A job whose items need no storing: a range, `none` (`items` known), or `split` (unknown yet). With a key: maybe the job that has it. */
  async createPlain(job: NewJob, items: number | undefined): Promise<JobRecord> {
    const known = { ...(items !== undefined && { items }), ...(job.keyed && { key: job.keyed.whole() }) };
    return new Acceptance(this.store, this.context.clock, job.spec.job).of(
      async () => (await this.creation.create(job, known)).job,
      frontLimits.storeTimeoutMs,
    );
  }

  /**
   * A job with its items. One block or none goes with the creation, in one transaction; more are appended and sealed.
   * `blocks` gives those that are complete each time something came, be it none: a slow upload stays alive by that.
   * With a key, the job may be an earlier one of the same body.
   * @throws what `blocks` throws, and the store's faults; the job is abandoned then, and was never seen by the leader.
   */
  createWithBlocks(job: NewJob, blocks: InputBlocks): Promise<JobRecord> {
    return this.running.during(job.spec.job, async () => {
      const upload = new Upload(this.store, this.context.clock, this.creation, job);
      try {
        for await (const complete of blocks) {
          for (const block of complete) await upload.add(block);
          await upload.goesOn();
        }
        return await upload.finish();
      } catch (error) {
        if (upload.created) await this.creation.abandon(job, messageOf(error));
        throw error;
      } finally {
        upload.close();
      }
    });
  }
}
