import {
  type BodyOf,
  type MemberSeen,
  type ReplyOf,
  coordinator,
  electionCall,
  electionOk,
  getLeader,
  leaseHandOver,
  memberDead,
  memberJoined,
  memberLeft,
  memberSuspected,
  memberUpdated,
  membershipCounted,
  raftLetter,
  splitterBeat,
} from '@das/contracts';
import { Answers, type CallContext, Hears } from '@das/messaging';
import { SERVICE_CONTEXT, type ServiceContext } from '@das/platform';
import { Controller, Inject } from '@nestjs/common';
import { ElectionService } from './election.service.js';
import { raftMessage } from './letters.js';

/** Transport only: picks what concerns this node and hands it on. */
@Controller()
export class ElectionController {
  constructor(
    @Inject(SERVICE_CONTEXT) private readonly context: ServiceContext,
    @Inject(ElectionService) private readonly election: ElectionService,
  ) {}

  @Hears(electionCall)
  onCall({ from, to, round, yields, preempt }: BodyOf<typeof electionCall>): void {
    if (to === this.context.node) this.election.message({ kind: 'election', from, round, yields, preempt });
  }

  @Hears(electionOk)
  onOk({ from, to, round, leader }: BodyOf<typeof electionOk>): void {
    if (to === this.context.node) this.election.message({ kind: 'ok', from, round, leader });
  }

  @Hears(coordinator)
  onCoordinator({ leader, term, resigned, to, voters }: BodyOf<typeof coordinator>): void {
    this.election.message({ kind: 'coordinator', leader, term, resigned, to, voters });
  }

  @Hears(raftLetter)
  onLetter(letter: BodyOf<typeof raftLetter>): void {
    if (letter.to === this.context.node) this.election.message(raftMessage(letter));
  }

  @Hears(leaseHandOver)
  onHandOver({ from, to, nonce, round }: BodyOf<typeof leaseHandOver>): void {
    if (to === this.context.node) this.election.message({ kind: 'handOver', from, nonce, round });
  }

  @Hears(splitterBeat)
  onSplitterBeat({ epoch }: BodyOf<typeof splitterBeat>): void {
    this.election.splitterBeat(epoch);
  }

  @Hears(membershipCounted)
  onCounted({ node, healthScore }: BodyOf<typeof membershipCounted>): void {
    if (node === this.context.node) this.election.health(healthScore);
  }

  @Hears(memberJoined)
  onJoined(seen: MemberSeen, call: CallContext): void {
    this.#onMember(seen, call);
  }

  @Hears(memberSuspected)
  onSuspected(seen: MemberSeen, call: CallContext): void {
    this.#onMember(seen, call);
  }

  @Hears(memberDead)
  onDead(seen: MemberSeen, call: CallContext): void {
    this.#onMember(seen, call);
  }

  @Hears(memberLeft)
  onLeft(seen: MemberSeen, call: CallContext): void {
    this.#onMember(seen, call);
  }

  @Hears(memberUpdated)
  onUpdated(seen: MemberSeen, call: CallContext): void {
    this.#onMember(seen, call);
  }

  @Answers(getLeader)
  getLeader(): ReplyOf<typeof getLeader> {
    return this.election.leader();
  }

  #onMember({ by, member }: MemberSeen, call: CallContext): void {
    if (by !== this.context.node) return;
    this.election.member(member);
    if (call.gap === true) void this.election.readMembers();
  }
}
