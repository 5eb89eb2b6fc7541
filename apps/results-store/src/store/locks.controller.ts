import { type ReplyOf, type RequestOf, acquireLock, releaseLock, renewLock } from '@das/contracts';
import type { ResultStore } from '@das/jobs';
import { Answers } from '@das/messaging';
import { Controller, Inject } from '@nestjs/common';
import { Announcer } from './announcer.js';
import { RESULT_STORE } from './tokens.js';

/** Locks of users. */
@Controller()
export class LocksController {
  constructor(
    @Inject(RESULT_STORE) private readonly store: ResultStore,
    @Inject(Announcer) private readonly announcer: Announcer,
  ) {}

  @Answers(acquireLock)
  acquireLock(request: RequestOf<typeof acquireLock>): Promise<ReplyOf<typeof acquireLock>> {
    return this.store.acquireLock(request);
  }

  @Answers(renewLock)
  renewLock(request: RequestOf<typeof renewLock>): Promise<ReplyOf<typeof renewLock>> {
    return this.store.renewLock(request);
  }

  @Answers(releaseLock)
  async releaseLock(request: RequestOf<typeof releaseLock>): Promise<ReplyOf<typeof releaseLock>> {
    const reply = await this.store.releaseLock(request);
    if (reply.outcome === 'released') this.announcer.freed(request.name);
    return reply;
  }
}
