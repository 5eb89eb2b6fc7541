import {
  type BodyOf,
  type ReplyOf,
  type RequestOf,
  assignParts,
  coordinator,
  dropAttempts,
  inspectScript,
  jobEnded,
  lockFreed,
} from '@das/contracts';
import { Answers, Hears } from '@das/messaging';
import { Controller, Inject } from '@nestjs/common';
import { ExecutorService } from './executor.service.js';

/** Transport only. */
@Controller()
export class ExecutorController {
  constructor(@Inject(ExecutorService) private readonly executor: ExecutorService) {}

  @Answers(assignParts)
  assign(request: RequestOf<typeof assignParts>): ReplyOf<typeof assignParts> {
    return this.executor.shell.assign(request);
  }

  @Answers(dropAttempts)
  drop(request: RequestOf<typeof dropAttempts>): ReplyOf<typeof dropAttempts> {
    return this.executor.shell.drop(request);
  }

  @Answers(inspectScript)
  inspect(request: RequestOf<typeof inspectScript>): Promise<ReplyOf<typeof inspectScript>> {
    return this.executor.inspect(request);
  }

  @Hears(coordinator)
  onCoordinator({ term }: BodyOf<typeof coordinator>): void {
    this.executor.heardTerm(term);
  }

  @Hears(lockFreed)
  onLockFreed({ name }: BodyOf<typeof lockFreed>): void {
    this.executor.heardFreed(name);
  }

  @Hears(jobEnded)
  onJobEnded(ended: BodyOf<typeof jobEnded>): void {
    this.executor.shell.jobEnded(ended);
  }
}
