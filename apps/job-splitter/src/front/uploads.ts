import { Inject, Injectable } from '@nestjs/common';
import { Fault, type JobRecord, type JobSpec, abandonJob, appendBlock, createJob, sealJob } from '@das/contracts';
import { messageOf } from '@das/kernel';
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
    const { body } = await this.store.ask(createJob, { ...job, ...(items === undefined ? {} : { items }) });
    return body.job;
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
    if (!this.created) return this.createWhole();
    await this.#sent;
    const { body } = await this.store.ask(sealJob, { job: this.job.spec.job, generation: 1, items: this.#items });
    if (body.job === undefined) throw endedMeanwhile();
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
    const { body } = await this.store.ask(
      appendBlock,
      { job: this.job.spec.job, generation: 1, block: headOf(block) },
      block.bytes,
    );
    if (body.outcome !== 'stored' && body.outcome !== 'same') throw endedMeanwhile();
  }
}

const headOf = ({ no, from, to, bytes }: Block) => ({ no, from, to, digest: digestOf(bytes) });

const endedMeanwhile = (): Fault => new Fault('JOB_ENDED', 'the job was ended while its input was being uploaded');
