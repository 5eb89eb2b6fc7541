import { Inject, Injectable } from '@nestjs/common';
import {
  Fault,
  type JobRecord,
  type JobSpec,
  type Operation,
  abandonJob,
  appendBlock,
  createJob,
  getJob,
  limits,
  sealJob,
} from '@das/contracts';
import { messageOf } from '@das/kernel';
import type { Answer } from '@das/messaging';
import { SERVICE_CONTEXT, type ServiceContext } from '@das/platform';
import type { Block } from './block-builder.js';
import { FrontStore } from './front-store.js';
import { digestOf } from './scripts.js';

/** A job about to be created. */
export interface NewJob {
  readonly spec: JobSpec;
  readonly codeText: string;
}

/** Stores new jobs and their input. Memory per upload: one block on its way, one waiting, one being cut. */
@Injectable()
export class Uploads {
  constructor(
    @Inject(SERVICE_CONTEXT) private readonly context: ServiceContext,
    @Inject(FrontStore) private readonly store: FrontStore,
  ) {}

  /** A job whose items need no storing: a range, `none` (`items` known), or `split` (unknown yet). */
  async createPlain(job: NewJob, items: number | undefined): Promise<JobRecord> {
    const request = { ...job, ...(items === undefined ? {} : { items }) };
    return accepted(this.store, job, async () => (await this.store.ask(createJob, request)).body.job);
  }

  /**
   * A job with its items. One block or none goes with the creation, in one transaction; more are appended and sealed.
   * @throws what `blocks` throws, and the store's faults; the job is abandoned then, and was never seen by the leader.
   */
  async createWithBlocks(job: NewJob, blocks: AsyncIterable<Block> | Iterable<Block>): Promise<JobRecord> {
    const upload = new Upload(this.store, job);
    try {
      for await (const block of blocks) await upload.add(block);
      return await upload.finish();
    } catch (error) {
      await this.abandon(upload, job, messageOf(error));
      throw error;
    }
  }

  /** Best effort: the store drops uploads that nobody ends by itself. */
  private async abandon(upload: Upload, { spec }: NewJob, why: string): Promise<void> {
    if (!upload.created) return;
    const asked = this.store.ask(abandonJob, { job: spec.job, why: why.slice(0, 1_000) });
    await asked.catch((error: unknown) =>
      this.context.log.warn({ job: spec.job, error: messageOf(error) }, 'a broken upload stays behind'),
    );
  }
}

/** One upload on its way: the first block waits for a second, because a job of one block is created at once. */
class Upload {
  #first: Block | undefined;
  #items = 0;
  #sent: Promise<void> = Promise.resolve();
  created = false;

  constructor(
    private readonly store: FrontStore,
    private readonly job: NewJob,
  ) {}

  async add(block: Block): Promise<void> {
    this.#items = block.to;
    if (!this.created) {
      if (this.#first === undefined) {
        this.#first = block;
        return;
      }
      // Set before the outcome is known: an upload that may have begun is abandoned on failure.
      this.created = true;
      await this.store.ask(createJob, this.job);
      await this.send(this.#first);
      this.#first = undefined;
    }
    await this.send(block);
  }

  async finish(): Promise<JobRecord> {
    if (!this.created) return accepted(this.store, this.job, () => this.createWhole());
    await this.#sent;
    return accepted(this.store, this.job, () => this.seal());
  }

  private async seal(): Promise<JobRecord> {
    const { body } = await this.ask(sealJob, { job: this.job.spec.job, generation: 1, items: this.#items });
    if (body.job === undefined || body.outcome === 'jobEnded') throw endedMeanwhile();
    return body.job;
  }

  private async createWhole(): Promise<JobRecord> {
    const block = this.#first;
    if (block === undefined) return (await this.store.ask(createJob, { ...this.job, items: 0 })).body.job;
    const request = { ...this.job, items: block.to, block: headOf(block) };
    return (await this.store.ask(createJob, request, block.bytes)).body.job;
  }

  /** Blocks are stored in their order, one at a time, while the next is being cut; waiting here is what slows the sender down. */
  private async send(block: Block): Promise<void> {
    await this.#sent;
    this.#sent = this.append(block);
    // Awaited by the next block or the end; without this a failure meanwhile would count as unhandled.
    this.#sent.catch(() => undefined);
  }

  private async append(block: Block): Promise<void> {
    const request = { job: this.job.spec.job, generation: 1, block: headOf(block) };
    const { body } = await this.ask(appendBlock, request, block.bytes);
    if (body.outcome !== 'stored' && body.outcome !== 'same') throw endedMeanwhile();
  }

  /** The job was created by this upload: if it is not there, the store dropped it as idle. */
  private async ask<Q, R>(operation: Operation<Q, R>, body: Q, raw?: Uint8Array): Promise<Answer<R>> {
    try {
      return await this.store.ask(operation, body, raw);
    } catch (error) {
      throw error instanceof Fault && error.code === 'JOB_NOT_FOUND' ? pausedTooLong() : error;
    }
  }
}

/**
 * An answer that is lost says nothing of what happened: before a submission is refused, the store is asked once for the job.
 * @throws the fault of `act`, unless the job is there and past `submitted`.
 */
async function accepted(store: FrontStore, { spec }: NewJob, act: () => Promise<JobRecord>): Promise<JobRecord> {
  try {
    return await act();
  } catch (error) {
    if (!(error instanceof Fault && error.retryable)) throw error;
    const found = await store.ask(getJob, { job: spec.job }).catch(() => undefined);
    const job = found?.body.job;
    if (job === undefined || job.state === 'submitted') throw error;
    return job;
  }
}

const headOf = ({ no, from, to, bytes }: Block) => ({ no, from, to, digest: digestOf(bytes) });

const pausedTooLong = (): Fault =>
  new Fault(
    'JOB_ENDED',
    `the upload paused for more than ${limits.uploadIdleMs / 60_000} minutes, so its job was dropped`,
    {
      hint: 'submit it again, and send the input without such a pause',
    },
  );

const endedMeanwhile = (): Fault => new Fault('JOB_ENDED', 'the job was ended while its input was being uploaded');
