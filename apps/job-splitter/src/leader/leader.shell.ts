import {
  attemptFinished,
  coordinator,
  currentTerm,
  executorBeat,
  jobEnded,
  jobWake,
  memberDead,
  memberLeft,
  splitterBeat,
  type BodyOf,
  type MemberSeen,
} from '@das/contracts';
import type { Cancel } from '@das/kernel';
import { defaultAssignerConfig, type AssignerConfig, type AssignerEvent } from '@das/jobs';
import { SERVICE_CONTEXT, loadConfig, type ServiceContext } from '@das/platform';
import { Inject, Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { leaderConfig } from './leader.config.js';
import { Office, pollMs } from './office.js';

/** How often the election hears that this job-splitter can lead (ms); it misses three before the node resigns. */
const splitterBeatMs = 500;
const tickMs = 500;
const progressMs = 500;

/**
 * Leads while the election on this node does: opens an {@link Office} for a term, closes it when another leads, the term is stale,
 * or the leader's trust ran out. Hears the cluster on its behalf.
 */
@Injectable()
export class LeaderShell implements OnApplicationBootstrap, OnApplicationShutdown {
  #office: Office | undefined;
  #highestTerm = 0;
  #trustUntil = 0;
  readonly #epoch: string;
  readonly #config: AssignerConfig;
  readonly #cancels: Cancel[] = [];

  constructor(@Inject(SERVICE_CONTEXT) private readonly context: ServiceContext) {
    this.#epoch = context.newId();
    const config = loadConfig(leaderConfig, context.env);
    this.#config = { ...defaultAssignerConfig, targetMs: config.DAS_PART_TARGET_MS, lostMs: config.DAS_NODE_LOST_MS };
  }

  async onApplicationBootstrap(): Promise<void> {
    const { bus, clock } = this.context;
    this.#cancels.push(
      await bus.hear(attemptFinished, (finished) => this.#push({ kind: 'attemptFinished', finished })),
      await bus.hear(executorBeat, (beat) => this.#push({ kind: 'beat', beat })),
      await bus.hear(jobWake, (wake) => this.#jobWake(wake)),
      await bus.hear(jobEnded, (ended) => this.#jobEnded(ended)),
      await bus.hear(memberDead, (seen) => this.#memberGone(seen)),
      await bus.hear(memberLeft, (seen) => this.#memberGone(seen)),
      await bus.hear(coordinator, (message) => this.#coordinator(message)),
      bus.onConnection((up) => this.#push({ kind: 'connection', up })),
      clock.every(splitterBeatMs, () => bus.tell(splitterBeat, { epoch: this.#epoch })),
      clock.every(tickMs, () => this.#push({ kind: 'tick' })),
      clock.every(progressMs, () => this.#office?.publishProgress()),
      clock.every(pollMs, () => void this.#office?.poll()),
    );
    bus.tell(splitterBeat, { epoch: this.#epoch });
  }

  onApplicationShutdown(): void {
    for (const cancel of this.#cancels.splice(0)) cancel();
    this.#leave();
  }

  #push(event: AssignerEvent): void {
    this.#office?.push(event);
  }

  /** A job that was just created needs no reading: it has no parts yet. */
  #jobWake({ job, created }: BodyOf<typeof jobWake>): void {
    if (created === undefined) return this.#push({ kind: 'jobWoken', job });
    this.#push({ kind: 'jobCreated', record: created });
  }

  #jobEnded({ job, belowGeneration }: BodyOf<typeof jobEnded>): void {
    if (belowGeneration === undefined) this.#push({ kind: 'jobGone', job });
    else this.#push({ kind: 'stale', jobs: [job] });
  }

  /** At once, not only when its executor's beats are missed. */
  #memberGone({ by, member }: MemberSeen): void {
    if (by === this.context.node)
      this.#push({ kind: 'nodeLost', node: member.node, why: `membership says ${member.state}` });
  }

  #coordinator({ leader, term, resigned, trustMs, epoch }: BodyOf<typeof coordinator>): void {
    if (term < this.#highestTerm) return void this.#askTerm(term);
    this.#highestTerm = term;
    // A term that was claimed for an earlier instance of this service is not ours: that one may have acts under way.
    const mine = leader === this.context.node && (epoch === undefined || epoch === this.#epoch);
    if (!mine || resigned) return this.#leave();
    this.#trustUntil = this.context.clock.monotonic() + trustMs;
    if (this.#office?.term === term) return;
    this.#leave();
    this.#enter(term);
  }

  /** Terms never fall, unless the database was replaced by a new one: only the store can say so. */
  async #askTerm(heard: number): Promise<void> {
    const before = this.#highestTerm;
    const { body } = await this.context.bus.call(currentTerm, {}).catch(() => ({ body: undefined }));
    if (body?.term === heard && this.#highestTerm === before) this.#highestTerm = heard - 1;
  }

  #enter(term: number): void {
    const mayAct = (): boolean => this.context.clock.monotonic() < this.#trustUntil;
    const office = new Office(this.context, term, this.#config, mayAct, (current) => {
      this.context.log.warn({ term, current }, 'leader: this term is over');
      if (this.#office === office) this.#leave();
    });
    this.#office = office;
    this.context.log.info({ term }, 'leader: took office');
    office.start();
  }

  #leave(): void {
    if (this.#office === undefined) return;
    this.context.log.info({ term: this.#office.term }, 'leader: left office');
    this.#office.close();
    this.#office = undefined;
  }
}
