import { Fault, type JobRecord, type Operation, appendBlock, getJob, limits, sealJob } from '@das/contracts';
import type { Cancel, Clock } from '@das/kernel';
import type { Answer } from '@das/messaging';
import { Acceptance } from './acceptance.js';
import type { Block } from './block-builder.js';
import { frontLimits } from './config.js';
import type { Creation, NewJob } from './creation.js';
import type { FrontStore } from './front-store.js';
import { pausedTooLong } from './idle-body.js';
import { patiently } from './patiently.js';
import { digestOf } from './scripts.js';
import { keyReused } from './submission-key.js';

/** An upload that has begun waits as long for a store that is away as a response does. */
const uploadPatienceMs = frontLimits.storeAwayMaxMs;

/** A job that has the key of this upload, and must turn out to have its body too. */
interface Earlier {
  readonly job: JobRecord;
  readonly digest: string | undefined;
}

/**
 * One upload on its way: the first block waits for a second, because a job of one block is created at once. With a key it does not wait long:
 * the job is created then, so that the key is taken while the input comes.
 */
export class Upload {
  #first: Block | undefined;
  #last: { readonly block: Block; readonly sentMs: number } | undefined;
  #items = 0;
  #sent: Promise<void> = Promise.resolve();
  /** Set before the outcome is known: an upload that may have begun is abandoned on failure. */
  #creating: Promise<void> | undefined;
  #createdMs = 0;
  #refused = false;
  #earlier: Earlier | undefined;
  readonly #unschedule: Cancel;

  constructor(
    private readonly store: FrontStore,
    private readonly clock: Clock,
    private readonly creation: Creation,
    private readonly job: NewJob,
  ) {
    const reserve = (): void => void this.#create();
    this.#unschedule = job.keyed === undefined ? () => undefined : clock.timer(frontLimits.keyReserveMs, reserve);
  }

  get created(): boolean {
    return this.#creating !== undefined;
  }

  async add(block: Block): Promise<void> {
    this.#items = block.to;
    this.job.keyed?.items(block.bytes);
    if (this.#creating === undefined && this.#first === undefined) {
      this.#first = block;
      return;
    }
    await this.#create();
    await this.#sendFirst();
    await this.#send(block);
  }

  /**
   * Something came that completes no block: now and then the last one is sent again, or the job created again while there is none, so that
   * the store does not take the upload for broken.
   */
  async goesOn(): Promise<void> {
    if (this.#refused) await this.#creating;
    if (this.#creating === undefined) return;
    if (this.#first !== undefined) {
      await this.#creating;
      return this.#sendFirst();
    }
    const heardMs = this.#last?.sentMs ?? this.#createdMs;
    if (this.#earlier !== undefined || this.clock.monotonic() - heardMs < limits.uploadTouchMs) return;
    if (this.#last !== undefined) return this.#send(this.#last.block);
    await this.#creating;
    this.#creating = undefined;
    await this.#create();
  }

  async finish(): Promise<JobRecord> {
    this.#unschedule();
    const acceptance = new Acceptance(this.store, this.clock, this.job.spec.job);
    if (this.#creating === undefined) return acceptance.of(() => this.#createWhole(), frontLimits.storeTimeoutMs);
    await this.#creating;
    await this.#sendFirst();
    await this.#sent;
    return this.#earlier === undefined
      ? acceptance.of(() => this.#seal(), uploadPatienceMs)
      : this.#sameAs(this.#earlier);
  }

  /** No more of it comes. */
  close(): void {
    this.#unschedule();
  }

  async #seal(): Promise<JobRecord> {
    const digest = this.job.keyed?.whole().digest;
    const request = { job: this.job.spec.job, generation: 1, items: this.#items, ...(digest && { digest }) };
    const { outcome, job } = (await this.#once(sealJob, request)).body;
    // Asked again after a lost answer: by then the job may have run and ended, which does not make it less accepted.
    if (job === undefined || (outcome === 'jobEnded' && !ranToItsEnd(job))) throw endedMeanwhile();
    return job;
  }

  async #createWhole(): Promise<JobRecord> {
    const block = this.#first;
    const key = this.job.keyed && { key: this.job.keyed.whole() };
    if (block === undefined) return (await this.creation.create(this.job, { ...key, items: 0 })).job;
    return (await this.creation.create(this.job, { ...key, items: block.to, block: headOf(block) }, block.bytes)).job;
  }

  #create(): Promise<void> {
    if (this.#creating !== undefined) return this.#creating;
    const key = this.job.keyed && { key: this.job.keyed.begun() };
    this.#createdMs = this.clock.monotonic();
    this.#creating = patiently(this.clock, uploadPatienceMs, async () => {
      const { job, key: held } = await this.creation.create(this.job, { ...key });
      if (held !== undefined) this.#earlier = { job, digest: held.digest };
    });
    // Awaited by the next block or the end; told sooner when anything comes.
    this.#creating.catch(() => (this.#refused = true));
    return this.#creating;
  }

  /** What is the same submission again is only compared: nothing of it is stored. */
  async #sameAs({ job: held, digest }: Earlier): Promise<JobRecord> {
    if (this.job.keyed?.whole().digest !== digest) throw keyReused(held.spec.job);
    const { body } = await this.store.ask(getJob, { job: held.spec.job });
    return body.job ?? held;
  }

  async #sendFirst(): Promise<void> {
    const block = this.#first;
    this.#first = undefined;
    if (block !== undefined) await this.#send(block);
  }

  /** Blocks are stored in their order, one at a time, while the next is being cut; waiting here is what slows the sender down. */
  async #send(block: Block): Promise<void> {
    if (this.#earlier !== undefined) return;
    await this.#sent;
    this.#last = { block, sentMs: this.clock.monotonic() };
    this.#sent = this.#append(block);
    // Awaited by the next block or the end; without this a failure meanwhile would count as unhandled.
    this.#sent.catch(() => undefined);
  }

  async #append(block: Block): Promise<void> {
    const request = { job: this.job.spec.job, generation: 1, block: headOf(block) };
    const asked = patiently(this.clock, uploadPatienceMs, () => this.#once(appendBlock, request, block.bytes));
    const { outcome } = (await asked).body;
    if (outcome !== 'stored' && outcome !== 'same') throw endedMeanwhile();
  }

  /** The job was created by this upload: if it is not there, the store dropped it as idle. */
  async #once<Q, R>(operation: Operation<Q, R>, body: Q, raw?: Uint8Array): Promise<Answer<R>> {
    try {
      return await this.store.ask(operation, body, raw);
    } catch (error) {
      throw error instanceof Fault && error.code === 'JOB_NOT_FOUND' ? pausedTooLong() : error;
    }
  }
}

const headOf = ({ no, from, to, bytes }: Block) => ({ no, from, to, digest: digestOf(bytes) });

const ranToItsEnd = ({ sealed, state }: JobRecord): boolean => sealed && state !== 'cancelled';

const endedMeanwhile = (): Fault => new Fault('JOB_ENDED', 'the job was ended while its input was being uploaded');
