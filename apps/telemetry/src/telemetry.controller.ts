import {
  type AttemptFinished,
  type BodyOf,
  type ExecutorBeat,
  type MembershipCounted,
  type ReplyOf,
  attemptFinished,
  clusterStatus,
  coordinator,
  executorBeat,
  membershipCounted,
  serviceLog,
} from '@das/contracts';
import { Answers, Hears } from '@das/messaging';
import { Controller, Inject } from '@nestjs/common';
import { TelemetryService } from './telemetry.service.js';

/** Transport only. */
@Controller()
export class TelemetryController {
  constructor(@Inject(TelemetryService) private readonly telemetry: TelemetryService) {}

  @Hears(executorBeat)
  onBeat(beat: ExecutorBeat): void {
    this.telemetry.beat(beat);
  }

  @Hears(attemptFinished)
  onFinished(finished: AttemptFinished): void {
    this.telemetry.finished(finished);
  }

  @Hears(serviceLog)
  onLog(line: BodyOf<typeof serviceLog>): void {
    this.telemetry.logged(line);
  }

  @Hears(membershipCounted)
  onMembership(counted: MembershipCounted): void {
    this.telemetry.membership(counted);
  }

  @Hears(coordinator)
  onCoordinator({ term }: BodyOf<typeof coordinator>): void {
    this.telemetry.term(term);
  }

  @Answers(clusterStatus)
  status(): ReplyOf<typeof clusterStatus> {
    return { nodes: this.telemetry.status() };
  }
}
