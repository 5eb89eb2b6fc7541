import {
  type ReplyOf,
  type RequestOf,
  advanceJob,
  cancelJob,
  claimTerm,
  commitPart,
  currentTerm,
  loadJobs,
  loadParts,
  renewTerm,
  saveActs,
  stageOutput,
} from '@das/contracts';
import { type ResultStore, jobEnded } from '@das/jobs';
import { Answers, type CallContext } from '@das/messaging';
import { Controller, Inject } from '@nestjs/common';
import { Announcer } from './announcer.js';
import { OutboxPublisher } from './outbox-publisher.js';
import { RESULT_STORE } from './tokens.js';

/** Terms, the acts of leaders, and the commits of executors. */
@Controller()
export class WorkController {
  constructor(
    @Inject(RESULT_STORE) private readonly store: ResultStore,
    @Inject(Announcer) private readonly announcer: Announcer,
    @Inject(OutboxPublisher) private readonly outbox: OutboxPublisher,
  ) {}

  @Answers(saveActs)
  saveActs(request: RequestOf<typeof saveActs>): Promise<ReplyOf<typeof saveActs>> {
    return this.store.saveActs(request);
  }

  @Answers(advanceJob)
  async advanceJob(request: RequestOf<typeof advanceJob>): Promise<ReplyOf<typeof advanceJob>> {
    const reply = await this.store.advanceJob(request);
    if (reply.outcome !== 'advanced') return reply;
    this.outbox.kick();
    // Where an end was asked for, a job with a hook only settles.
    if (reply.job && jobEnded(reply.job.state)) this.announcer.ended(request.job, reply.job.state);
    return reply;
  }

  @Answers(cancelJob)
  async cancelJob(request: RequestOf<typeof cancelJob>): Promise<ReplyOf<typeof cancelJob>> {
    const reply = await this.store.cancelJob(request);
    if (reply.outcome === 'cancelled' || reply.outcome === 'alreadyCancelled') {
      this.outbox.kick();
      // Again on a repeated cancel: the first announcement may have been lost.
      this.announcer.ended(request.job, 'cancelled');
    }
    return reply;
  }

  @Answers(loadJobs)
  loadJobs(request: RequestOf<typeof loadJobs>): Promise<ReplyOf<typeof loadJobs>> {
    return this.store.loadJobs(request);
  }

  @Answers(loadParts)
  loadParts(request: RequestOf<typeof loadParts>): Promise<ReplyOf<typeof loadParts>> {
    return this.store.loadParts(request);
  }

  @Answers(stageOutput)
  stageOutput(request: RequestOf<typeof stageOutput>, { raw }: CallContext): Promise<ReplyOf<typeof stageOutput>> {
    return this.store.stageOutput(request, raw);
  }

  @Answers(commitPart)
  async commitPart(request: RequestOf<typeof commitPart>, { raw }: CallContext): Promise<ReplyOf<typeof commitPart>> {
    const reply = await this.store.commitPart(request, raw);
    if (reply.ended === true) {
      this.announcer.ended(request.attempt.job, 'succeeded', reply.whole === true ? raw : undefined);
      this.outbox.kick();
    }
    if (request.sealed) await this.#afterSplit(request, reply.outcome);
    return reply;
  }

  /** The job was sealed, or it starts again because `split` ended after other items than were stored. */
  async #afterSplit({ attempt }: RequestOf<typeof commitPart>, outcome: string): Promise<void> {
    this.outbox.kick();
    if (outcome === 'committed' || outcome === 'alreadyCommitted') return this.announcer.wake(attempt.job);
    const { job } = await this.store.getJob({ job: attempt.job });
    if (job && job.generation > attempt.generation) this.announcer.restarted(attempt.job, job.generation);
  }

  @Answers(claimTerm)
  claimTerm(request: RequestOf<typeof claimTerm>): Promise<ReplyOf<typeof claimTerm>> {
    return this.store.claimTerm(request);
  }

  @Answers(renewTerm)
  renewTerm(request: RequestOf<typeof renewTerm>): Promise<ReplyOf<typeof renewTerm>> {
    return this.store.renewTerm(request);
  }

  @Answers(currentTerm)
  currentTerm(request: RequestOf<typeof currentTerm>): Promise<ReplyOf<typeof currentTerm>> {
    return this.store.currentTerm(request);
  }
}
