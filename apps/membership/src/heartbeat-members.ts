import { type BodyOf, type Member, type MemberBeat, memberBeat, type nodeAttributes } from '@das/contracts';
import type { Cancel, EpochMs } from '@das/kernel';
import type { ServiceContext } from '@das/platform';
import { type MembershipConfig, membershipLimits } from './config.js';
import { initialMembers, memberOf, step } from './core/members.js';
import type { MembersEffect, MembersEvent, MembersState } from './core/types.js';
import type { MemberEvents, MemberListener } from './ports/member-events.js';
import { version } from './version.js';

/** Members by heartbeats over the bus: speaks every second, and drives the core with what it hears. */
export class HeartbeatMembers implements MemberEvents {
  #state: MembersState;
  #attributes: { rest?: string | undefined; slots?: number | undefined } = {};
  readonly #listeners = new Set<MemberListener>();
  readonly #cancels: Cancel[] = [];
  readonly #incarnation: EpochMs;
  #speaking = false;

  constructor(
    private readonly context: Pick<ServiceContext, 'node' | 'bus' | 'clock' | 'log'>,
    config: MembershipConfig,
  ) {
    const { tickMs, lateMs, forgetMs, membersMax } = membershipLimits;
    const [suspectMs, deadMs] = [config.DAS_MEMBER_SUSPECT_MS, config.DAS_MEMBER_DEAD_MS];
    this.#state = initialMembers({ self: context.node, suspectMs, deadMs, forgetMs, tickMs, lateMs, membersMax });
    this.#incarnation = context.clock.now();
  }

  async start(): Promise<void> {
    const { bus, clock } = this.context;
    this.#cancels.push(await bus.hear(memberBeat, (beat) => this.#handle({ kind: 'beat', beat, own: false })));
    this.#cancels.push(bus.onConnection((up) => this.#onConnection(up)));
    this.#cancels.push(clock.every(membershipLimits.tickMs, () => this.#handle({ kind: 'tick' })));
    this.#cancels.push(clock.every(membershipLimits.beatEveryMs, () => this.#beat(false)));
    this.#speaking = true;
    this.#beat(false);
  }

  stop(): void {
    if (!this.#speaking) return;
    this.#speaking = false;
    for (const cancel of this.#cancels.splice(0)) cancel();
    this.#beat(true);
  }

  members(): readonly Member[] {
    const now = this.context.clock.monotonic();
    return [...this.#state.entries.values()].map((entry) => memberOf(entry, now));
  }

  onChange(listener: MemberListener): Cancel {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** What the own node's services say of themselves; told at once when it is news. */
  attributes({ rest, slots }: BodyOf<typeof nodeAttributes>): void {
    const before = this.#attributes;
    this.#attributes = { rest: rest ?? before.rest, slots: slots ?? before.slots };
    const news = before.rest !== this.#attributes.rest || before.slots !== this.#attributes.slots;
    if (news && this.#speaking) this.#beat(false);
  }

  #beat(leaving: boolean): void {
    const beat: MemberBeat = {
      node: this.context.node,
      incarnation: this.#incarnation,
      version,
      ...this.#attributes,
      leaving,
    };
    this.#handle({ kind: 'beat', beat, own: true });
    this.context.bus.tell(memberBeat, beat);
  }

  #onConnection(up: boolean): void {
    this.#handle({ kind: up ? 'hearing' : 'deaf' });
    if (up) this.#beat(false);
  }

  #handle(event: MembersEvent): void {
    const { state, effects } = step(this.#state, event, this.context.clock.monotonic());
    this.#state = state;
    for (const effect of effects) this.#perform(effect);
  }

  #perform(effect: MembersEffect): void {
    const { log, clock } = this.context;
    if (effect.kind === 'warn') return log.warn({ member: effect.node }, effect.message);
    if (effect.kind === 'forgotten') return log.info({ member: effect.node }, `${effect.node} is forgotten`);
    const member = memberOf(effect.entry, clock.monotonic());
    log.info({ member: member.node, state: member.state }, `${member.node} is ${member.state}`);
    for (const listener of this.#listeners) listener(member);
  }
}
