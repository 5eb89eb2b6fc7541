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
import { type Clock, messageOf } from '@das/kernel';
import type { Answer } from '@das/messaging';
import { SERVICE_CONTEXT, type ServiceContext } from '@das/platform';
import type { Block } from './block-builder.js';
import { frontLimits } from './config.js';
import { FrontStore } from './front-store.js';
import { pausedTooLong } from './idle-body.js';
import { patiently } from './patiently.js';
import { digestOf } from './scripts.js';

/** A job about to be created. */
export interface NewJob {
  readonly spec: JobSpec;
  readonly codeText: string;
}

/** Blocks in their order, as they are completed. */
export type InputBlocks = AsyncIterable<readonly Block[]> | Iterable<readonly Block[]>;

/** Stores new jobs and their input. Memory per upload: one block on its way or the last one sent, one waiting, one being cut. */
@Injectable()
export class Uploads {
  constructor(
    @Inject(SERVICE_CONTEXT) private readonly context: ServiceContext,
    @Inject(FrontStore) private readonly store: FrontStore,
  ) {}

  /** A job whose items need no storing: a range, `none` (`items` known), or `split` (unknown yet). */
  async createPlain(job: NewJob, items: number | undefined): Promise<JobRecord> {
    const request = { ...job, ...(items === undefined ? {} : { items }) };
    return new Acceptance(this.store, this.context.clock, job).of(
      async () => (await this.store.ask(createJob, request)).body.job,
      frontLimits.storeTimeoutMs,
    );
  }

  /**
   * A job with its items. One block or none goes with the creation, in one transaction; more are appended and sealed.
   * `blocks` gives those that are complete each time something came, be it none: a slow upload stays alive by that.
   * @throws what `blocks` throws, and the store's faults; the job is abandoned then, and was never seen by the leader.
   */
  async createWithBlocks(job: NewJob, blocks: InputBlocks): Promise<JobRecord> {
    const upload = new Upload(this.store, this.context.clock, job);
    try {
      for await (const complete of blocks) {
        for (const block of complete) await upload.add(block);
        await upload.goesOn();
      }
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

/** An upload that has begun waits as long for a store that is away as a response does. */
const uploadPatienceMs = frontLimits.storeAwayMaxMs;

/** One upload on its way: the first block waits for a second, because a job of one block is created at once. */
class Upload {
  #first: Block | undefined;
  #last: { readonly block: Block; readonly sentMs: number } | undefined;
  #items = 0;
  #sent: Promise<void> = Promise.resolve();
  created = false;

  constructor(
    private readonly store: FrontStore,
    private readonly clock: Clock,
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
      await this.ask(createJob, this.job);
      await this.send(this.#first);
      this.#first = undefined;
    }
    await this.send(block);
  }

  /** Something came that completes no block: now and then the last one is sent again, so that the store does not take the upload for broken. */
  async goesOn(): Promise<void> {
    if (this.#last === undefined || this.clock.monotonic() - this.#last.sentMs < limits.uploadTouchMs) return;
    await this.send(this.#last.block);
  }

  async finish(): Promise<JobRecord> {
    const acceptance = new Acceptance(this.store, this.clock, this.job);
    if (!this.created) return acceptance.of(() => this.createWhole(), frontLimits.storeTimeoutMs);
    await this.#sent;
    return acceptance.of(() => this.seal(), uploadPatienceMs);
  }

  private async seal(): Promise<JobRecord> {
    const { body } = await this.once(sealJob, { job: this.job.spec.job, generation: 1, items: this.#items });
    const { outcome, job } = body;
    // Asked again after a lost answer: by then the job may have run and ended, which does not make it less accepted.
    if (job === undefined || (outcome === 'jobEnded' && !ranToItsEnd(job))) throw endedMeanwhile();
    return job;
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
    this.#last = { block, sentMs: this.clock.monotonic() };
    this.#sent = this.append(block);
    // Awaited by the next block or the end; without this a failure meanwhile would count as unhandled.
    this.#sent.catch(() => undefined);
  }

  private async append(block: Block): Promise<void> {
    const request = { job: this.job.spec.job, generation: 1, block: headOf(block) };
    const { body } = await this.ask(appendBlock, request, block.bytes);
    if (body.outcome !== 'stored' && body.outcome !== 'same') throw endedMeanwhile();
  }

  private ask<Q, R>(operation: Operation<Q, R>, body: Q, raw?: Uint8Array): Promise<Answer<R>> {
    return patiently(this.clock, uploadPatienceMs, () => this.once(operation, body, raw));
  }

  /** The job was created by this upload: if it is not there, the store dropped it as idle. */
  private async once<Q, R>(operation: Operation<Q, R>, body: Q, raw?: Uint8Array): Promise<Answer<R>> {
    try {
      return await this.store.ask(operation, body, raw);
    } catch (error) {
      throw error instanceof Fault && error.code === 'JOB_NOT_FOUND' ? pausedTooLong() : error;
    }
  }
}

/** The step that makes a submission a job. */
class Acceptance {
  constructor(
    private readonly store: FrontStore,
    private readonly clock: Clock,
    private readonly job: NewJob,
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
        if (!(error instanceof Fault && error.retryable)) throw error;
        const { body } = await this.store.ask(getJob, { job: this.job.spec.job });
        if (body.job === undefined || body.job.state === 'submitted') throw error;
        return body.job;
      }
    });
  }
}

const headOf = ({ no, from, to, bytes }: Block) => ({ no, from, to, digest: digestOf(bytes) });

const ranToItsEnd = ({ sealed, state }: JobRecord): boolean => sealed && state !== 'cancelled';

const endedMeanwhile = (): Fault => new Fault('JOB_ENDED', 'the job was ended while its input was being uploaded');
