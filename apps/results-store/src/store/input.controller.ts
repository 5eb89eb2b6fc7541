import {
  type ReplyOf,
  type RequestOf,
  abandonJob,
  appendBlock,
  createJob,
  listBlocks,
  readItems,
  restartSplit,
  sealJob,
} from '@das/contracts';
import type { ResultStore, WithRaw } from '@das/jobs';
import { type Answer, Answers, type CallContext } from '@das/messaging';
import { Controller, Inject } from '@nestjs/common';
import { Announcer } from './announcer.js';
import { OutboxPublisher } from './outbox-publisher.js';
import { RESULT_STORE } from './tokens.js';

/** Jobs and their items. */
@Controller()
export class InputController {
  constructor(
    @Inject(RESULT_STORE) private readonly store: ResultStore,
    @Inject(Announcer) private readonly announcer: Announcer,
    @Inject(OutboxPublisher) private readonly outbox: OutboxPublisher,
  ) {}

  @Answers(createJob)
  async createJob(request: RequestOf<typeof createJob>, { raw }: CallContext): Promise<ReplyOf<typeof createJob>> {
    const reply = await this.store.createJob(request, raw);
    if (!reply.existed) this.outbox.kickSoon();
    if (reply.job.state !== 'submitted') this.#wakeFor(reply, raw);
    return reply;
  }

  /** A job that existed before may be well on its way: what is known of it here says nothing of its parts. */
  #wakeFor({ job, existed }: ReplyOf<typeof createJob>, items: Uint8Array): void {
    if (existed) this.announcer.wake(job.spec.job);
    else this.announcer.created(job, items);
  }

  @Answers(appendBlock)
  async appendBlock(
    request: RequestOf<typeof appendBlock>,
    { raw }: CallContext,
  ): Promise<ReplyOf<typeof appendBlock>> {
    const reply = await this.store.appendBlock(request, raw);
    if (reply.outcome === 'stored' && request.attempt) this.announcer.wakeSoon(request.job);
    return reply;
  }

  @Answers(sealJob)
  async sealJob(request: RequestOf<typeof sealJob>): Promise<ReplyOf<typeof sealJob>> {
    const reply = await this.store.sealJob(request);
    if (reply.outcome === 'sealed') this.announcer.wake(request.job);
    this.outbox.kick();
    return reply;
  }

  @Answers(abandonJob)
  abandonJob(request: RequestOf<typeof abandonJob>): Promise<ReplyOf<typeof abandonJob>> {
    return this.store.abandonJob(request);
  }

  @Answers(restartSplit)
  async restartSplit(request: RequestOf<typeof restartSplit>): Promise<ReplyOf<typeof restartSplit>> {
    const reply = await this.store.restartSplit(request);
    if (reply.generation !== undefined) this.announcer.restarted(request.attempt.job, reply.generation);
    this.outbox.kick();
    return reply;
  }

  @Answers(readItems)
  async readItems(request: RequestOf<typeof readItems>): Promise<Answer<ReplyOf<typeof readItems>>> {
    return answerOf(await this.store.readItems(request));
  }

  @Answers(listBlocks)
  listBlocks(request: RequestOf<typeof listBlocks>): Promise<ReplyOf<typeof listBlocks>> {
    return this.store.listBlocks(request);
  }
}

/** The store's words for a reply with raw bytes, in the bus's. */
export const answerOf = <Reply>({ reply, raw }: WithRaw<Reply>): Answer<Reply> => ({ body: reply, raw });
