import {
  attemptFinished,
  coordinator,
  currentTerm,
  executorBeat,
  jobEnded,
  jobWake,
  listMembers,
  memberDead,
  memberLeft,
  splitterBeat,
  type BodyOf,
  type MemberSeen,
} from '@das/contracts';
import { assertNever, type Cancel, type NodeId } from '@das/kernel';
import {
  defaultAssignerConfig,
  hearCoordinator,
  leave,
  newLeadership,
  pollMs,
  termOver,
  termRead,
  type AssignerConfig,
  type AssignerEvent,
  type Leadership,
  type LeadershipEffect,
} from '@das/jobs';
import { SERVICE_CONTEXT, loadConfig, type ServiceContext } from '@das/platform';
import { Inject, Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { leaderConfig } from './leader.config.js';
import { Office } from './office.js';

/** How often the election hears that this job-splitter can lead (ms); it misses three before the node resigns. */
const splitterBeatMs = 500;
const tickMs = 500;
const progressMs = 500;
const membersMs = 2_000;

/**
 * Leads while the election on this node does: opens an {@link Office} for a term, closes it when another leads, the term is stale,
 * or the leader's trust ran out. Hears the cluster on its behalf.
 */
@Injectable()
export class LeaderShell implements OnApplicationBootstrap, OnApplicationShutdown {
  #leadership: Leadership;
  #office: Office | undefined;
  /** Whose executors beat since the members were asked for; only while their answer is awaited. */
  #beating: Set<NodeId> | undefined;
  readonly #config: AssignerConfig;
  readonly #cancels: Cancel[] = [];

  constructor(@Inject(SERVICE_CONTEXT) private readonly context: ServiceContext) {
    this.#leadership = newLeadership(context.node, context.newId());
    const config = loadConfig(leaderConfig, context.env);
    this.#config = { ...defaultAssignerConfig, targetMs: config.DAS_PART_TARGET_MS, lostMs: config.DAS_NODE_LOST_MS };
  }

  async onApplicationBootstrap(): Promise<void> {
    const { bus, clock } = this.context;
    this.#cancels.push(
      await bus.hear(attemptFinished, (finished) => this.#push({ kind: 'attemptFinished', finished })),
      await bus.hear(executorBeat, (beat) => this.#executorBeat(beat)),
      await bus.hear(jobWake, (wake) => this.#jobWake(wake)),
      await bus.hear(jobEnded, (ended) => this.#jobEnded(ended)),
      await bus.hear(memberDead, (seen) => this.#memberGone(seen)),
      await bus.hear(memberLeft, (seen) => this.#memberGone(seen)),
      await bus.hear(coordinator, (message) => this.#coordinator(message)),
      bus.onConnection((up) => this.#push({ kind: 'connection', up })),
      clock.every(splitterBeatMs, () => this.#beat()),
      clock.every(tickMs, () => this.#push({ kind: 'tick', at: clock.monotonic() })),
      clock.every(progressMs, () => this.#office?.publishProgress()),
      clock.every(pollMs, () => this.#office?.poll()),
    );
    this.#beat();
  }

  onApplicationShutdown(): void {
    for (const cancel of this.#cancels.splice(0)) cancel();
    this.#follow(leave(this.#leadership));
  }

  #push(event: AssignerEvent): void {
    this.#office?.push(event);
  }

  #executorBeat(beat: BodyOf<typeof executorBeat>): void {
    this.#beating?.add(beat.node);
    this.#push({ kind: 'beat', beat });
  }

  /** A job that was just created needs no reading: it has no parts yet. */
  #jobWake({ job, created, lines }: BodyOf<typeof jobWake>): void {
    if (created === undefined) return this.#push({ kind: 'jobWoken', job });
    this.#push({ kind: 'jobCreated', record: created, lines });
  }

  #jobEnded({ job, belowGeneration, state }: BodyOf<typeof jobEnded>): void {
    if (belowGeneration === undefined) this.#push({ kind: 'jobGone', job, succeeded: state === 'succeeded' });
    else this.#push({ kind: 'stale', jobs: [job] });
  }

  /** At once, not only when its executor's beats are missed. */
  #memberGone({ by, member }: MemberSeen): void {
    if (by === this.context.node)
      this.#push({ kind: 'nodeLost', node: member.node, why: `membership says ${member.state}` });
  }

  #coordinator(message: BodyOf<typeof coordinator>): void {
    this.#follow(hearCoordinator(this.#leadership, message, this.context.clock.monotonic()));
  }

  #follow({ state, effects }: { state: Leadership; effects: readonly LeadershipEffect[] }): void {
    this.#leadership = state;
    for (const effect of effects) this.#perform(effect);
  }

  #perform(effect: LeadershipEffect): void {
    switch (effect.kind) {
      case 'askTerm':
        return void this.#askTerm(effect);
      case 'trust':
        return this.#office?.trust(effect.until);
      case 'enter':
        return this.#enter(effect.term, effect.trustedUntil);
      case 'leave':
        return this.#leave();
      default:
        return assertNever(effect);
    }
  }

  async #askTerm(asked: Extract<LeadershipEffect, { kind: 'askTerm' }>): Promise<void> {
    const { body } = await this.context.bus.call(currentTerm, {}).catch(() => ({ body: undefined }));
    if (body !== undefined) this.#leadership = termRead(this.#leadership, asked, body.term);
  }

  #enter(term: number, trustedUntil: number): void {
    const office = new Office(this.context, term, this.#config, trustedUntil, (current) => {
      this.context.log.warn({ term, current }, 'leader: this term is over');
      this.#follow(termOver(this.#leadership, term));
    });
    this.#office = office;
    this.context.log.info({ term }, 'leader: took office');
    office.poll();
    void this.#tellGone(office);
  }

  /**
   * Who went before this office began, like the leader before it: nobody says so again. Without an answer their beats are missed, later.
   * The answer may be older than a beat heard meanwhile: that node lives, and should it go now, membership says so.
   */
  async #tellGone(office: Office): Promise<void> {
    const beating = new Set<NodeId>();
    this.#beating = beating;
    const asked = this.context.bus.call(listMembers, {}, { node: this.context.node, timeoutMs: membersMs });
    const members = await asked.then(
      ({ body }) => body.members,
      () => [],
    );
    if (this.#beating === beating) this.#beating = undefined;
    for (const { node, state } of members)
      if ((state === 'dead' || state === 'left') && !beating.has(node))
        office.push({ kind: 'nodeLost', node, why: `membership says ${state}` });
  }

  #leave(): void {
    if (this.#office === undefined) return;
    this.context.log.info({ term: this.#office.term }, 'leader: left office');
    this.#office.close();
    this.#office = undefined;
  }

  #beat(): void {
    this.context.bus.tell(splitterBeat, { epoch: this.#leadership.epoch });
  }
}
