import { type ReplyOf, type RequestOf, getJob, listJobs, listParts, readOutput } from '@das/contracts';
import type { ResultStore } from '@das/jobs';
import { type Answer, Answers } from '@das/messaging';
import { Controller, Inject } from '@nestjs/common';
import { answerOf } from './input.controller.js';
import { RESULT_STORE } from './tokens.js';

/** What the front door asks. */
@Controller()
export class ViewsController {
  constructor(@Inject(RESULT_STORE) private readonly store: ResultStore) {}

  @Answers(getJob)
  getJob(request: RequestOf<typeof getJob>): Promise<ReplyOf<typeof getJob>> {
    return this.store.getJob(request);
  }

  @Answers(listJobs)
  listJobs(request: RequestOf<typeof listJobs>): Promise<ReplyOf<typeof listJobs>> {
    return this.store.listJobs(request);
  }

  @Answers(listParts)
  listParts(request: RequestOf<typeof listParts>): Promise<ReplyOf<typeof listParts>> {
    return this.store.listParts(request);
  }

  @Answers(readOutput)
  async readOutput(request: RequestOf<typeof readOutput>): Promise<Answer<ReplyOf<typeof readOutput>>> {
    return answerOf(await this.store.readOutput(request));
  }
}
