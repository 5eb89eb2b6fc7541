import {
  type BodyOf,
  type ReplyOf,
  coordinator,
  electionCall,
  electionOk,
  getLeader,
  memberChanged,
  splitterBeat,
} from '@das/contracts';
import { Answers, type CallContext, Hears } from '@das/messaging';
import { SERVICE_CONTEXT, type ServiceContext } from '@das/platform';
import { Controller, Inject } from '@nestjs/common';
import { ElectionService } from './election.service.js';

/** Transport only: picks what concerns this node and hands it on. */
@Controller()
export class ElectionController {
  constructor(
    @Inject(SERVICE_CONTEXT) private readonly context: ServiceContext,
    @Inject(ElectionService) private readonly election: ElectionService,
  ) {}

  @Hears(electionCall)
  onCall({ from, to, round }: BodyOf<typeof electionCall>): void {
    if (to === this.context.node) this.election.message({ kind: 'election', from, round });
  }

  @Hears(electionOk)
  onOk({ from, to, round, leader }: BodyOf<typeof electionOk>): void {
    if (to === this.context.node) this.election.message({ kind: 'ok', from, round, leader });
  }

  @Hears(coordinator)
  onCoordinator({ leader, term, resigned }: BodyOf<typeof coordinator>): void {
    this.election.message({ kind: 'coordinator', leader, term, resigned });
  }

  @Hears(splitterBeat)
  onSplitterBeat({ node, epoch }: BodyOf<typeof splitterBeat>): void {
    if (node === this.context.node) this.election.splitterBeat(epoch);
  }

  @Hears(memberChanged)
  onMember({ by, member }: BodyOf<typeof memberChanged>, call: CallContext): void {
    if (by !== this.context.node) return;
    this.election.member(member);
    if (call.gap === true) void this.election.readMembers();
  }

  @Answers(getLeader)
  getLeader(): ReplyOf<typeof getLeader> {
    return this.election.leader();
  }
}
