import { Inject, Injectable } from '@nestjs/common';
import { type JobRecord, type JobSpec, type ReplyOf, type RequestOf, abandonJob, createJob } from '@das/contracts';
import { messageOf } from '@das/kernel';
import { SERVICE_CONTEXT, type ServiceContext } from '@das/platform';
import { FrontStore } from './front-store.js';
import { RunningUploads } from './running-uploads.js';
import { type KeyedBody, keyInUse, keyReused } from './submission-key.js';

/** A job about to be created. */
export interface NewJob {
  readonly spec: JobSpec;
  readonly codeText: string;
  /** Of a submission that came with an Idempotency-Key. */
  readonly keyed?: KeyedBody | undefined;
}

type Create = RequestOf<typeof createJob>;
type Created = ReplyOf<typeof createJob>;

/** Uploads given up on for one submission: the second one is somebody else's who came first again. */
const takeoversMax = 2;

/** Creates jobs in the store, which alone decides whose a key is: whoever asks, wherever, at whatever moment. */
@Injectable()
export class Creation {
  constructor(
    @Inject(SERVICE_CONTEXT) private readonly context: ServiceContext,
    @Inject(FrontStore) private readonly store: FrontStore,
    @Inject(RunningUploads) private readonly running: RunningUploads,
  ) {}

  /**
   * Creates a job, or gives the one that its key stands for. An upload whose node died is abandoned, which frees its key.
   * @throws Fault IDEMPOTENCY_KEY_REUSED, IDEMPOTENCY_KEY_IN_USE: nothing was created; and the store's faults.
   */
  async create(job: NewJob, more: Pick<Create, 'items' | 'block' | 'key'>, raw?: Uint8Array): Promise<Created> {
    const { spec, codeText } = job;
    for (let takeovers = 0; ; takeovers++) {
      const { body } = await this.store.ask(createJob, { spec, codeText, ...more }, raw);
      const held = body.job.spec;
      if (body.key?.verdict === 'different') throw keyReused(held.job);
      if (body.key?.verdict !== 'uploading') return body;
      if (takeovers >= takeoversMax || !(await this.running.orphaned(body.job))) throw keyInUse(held.job, held.contact);
      await this.abandon(body.job, `${held.contact} does not upload it any more`);
    }
  }

  /** Best effort: the store drops uploads that nobody ends by itself. */
  async abandon({ spec: { job } }: Pick<JobRecord, 'spec'>, why: string): Promise<void> {
    const asked = this.store.ask(abandonJob, { job, why: why.slice(0, 1_000) });
    await asked.catch((error: unknown) =>
      this.context.log.warn({ job, error: messageOf(error) }, 'a broken upload stays behind'),
    );
  }
}
