import type { BodyOf, Member, MemberState, nodeAttributes } from '@das/contracts';
import type { Cancel } from '@das/kernel';
import {
  type Delegates,
  type Member as Gossiped,
  Memberlist,
  type MemberlistPorts,
  formatAddress,
} from '@das/memberlist';
import type { ServiceContext } from '@das/platform';
import type { MembershipConfig } from './config.js';
import { membershipLimits } from './limits.js';
import { Departed } from './core/departed.js';
import { decodeMeta } from './core/meta.js';
import type { KnownMember } from './core/presence.js';
import { RoundTrips } from './core/round-trips.js';
import { delegatesOf } from './gossip-delegates.js';
import { memberlistOptions } from './gossip-options.js';
import { memberOf } from './member-view.js';
import type { Notes } from './notes.js';
import { OwnFacts } from './own-facts.js';
import type { MemberEventKind, MemberEvents, MemberListener } from './ports/member-events.js';

/** The members of one running gossip: what memberlist tells, in the words of the contracts. */
export class GossipMembers implements MemberEvents {
  readonly facts: OwnFacts;
  readonly list: Memberlist;
  readonly #listeners = new Set<MemberListener>();
  readonly #departed = new Departed<Gossiped>(membershipLimits.rememberMs, membershipLimits.departedMax);
  readonly #roundTrips = new RoundTrips();
  #stopping: Promise<void> | undefined;

  /** Announces the node at once, to listeners too. @throws MemberlistError CONFIG_INVALID; `ports.transport` stays open. */
  constructor(
    private readonly context: ServiceContext,
    config: MembershipConfig,
    private readonly ports: MemberlistPorts,
    private readonly options: {
      readonly notes: Notes;
      readonly keys: readonly string[];
      readonly listener: MemberListener;
    },
  ) {
    const { notes, keys, listener } = options;
    this.#listeners.add(listener);
    this.facts = new OwnFacts(context, config.DAS_LABELS, notes);
    this.list = new Memberlist(memberlistOptions(context.node, config, keys), ports, this.#delegates());
    this.facts.start(() => void this.#spread());
  }

  get address(): string {
    return formatAddress(this.ports.transport.address);
  }

  /** Others that are alive or suspect. */
  get others(): readonly Gossiped[] {
    return this.list.members.filter(({ name }) => name !== this.context.node);
  }

  get counts(): Record<MemberState, number> {
    const counts = { alive: 0, suspect: 0, dead: 0, left: 0 };
    for (const { state } of this.#all()) counts[state] += 1;
    return counts;
  }

  members(): readonly Member[] {
    const now = this.ports.clock.now();
    return this.#all().map((member) => memberOf(member, now, this.#roundTrips.of(member.name)));
  }

  known(name: string): KnownMember | undefined {
    const found = this.list.known.find((member) => member.name === name);
    const { state, meta } = found ?? {};
    if (found === undefined || state === undefined || meta === undefined) return undefined;
    return { state, address: formatAddress(found), startedAt: decodeMeta(meta)?.startedAt };
  }

  onEvent(listener: MemberListener): Cancel {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** What the own node's services say of themselves. */
  attributes(attributes: BodyOf<typeof nodeAttributes>): void {
    this.facts.heard(attributes);
  }

  /** Says goodbye, within a limit, and frees the port. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    this.facts.stop();
    await this.list.leave(membershipLimits.leaveTimeoutMs).catch((error: unknown) => {
      this.context.log.info({ err: error }, 'left without being sure that everyone heard it');
    });
    await this.list.shutdown();
  }

  #all(): Gossiped[] {
    const { known } = this.list;
    const names = new Set(known.map(({ name }) => name));
    return [...known, ...this.#departed.all(this.context.clock.monotonic()).filter(({ name }) => !names.has(name))];
  }

  #delegates(): Delegates {
    return delegatesOf({
      self: this.context.node,
      startedAt: this.facts.startedAt,
      clock: this.context.clock,
      notes: this.options.notes,
      meta: (limit) => this.facts.bytes(limit),
      changed: (kind, member) => this.#changed(kind, member),
      probed: (name, rttMs) => this.#roundTrips.probed(name, rttMs),
    });
  }

  #changed(kind: MemberEventKind, gossiped: Gossiped): void {
    const { log, clock } = this.context;
    if (kind === 'dead' || kind === 'left') {
      this.#departed.left(gossiped, clock.monotonic());
      this.#roundTrips.gone(gossiped.name);
    } else if (kind === 'joined') {
      this.#departed.back(gossiped.name);
      this.#roundTrips.joined(gossiped.name);
    }
    const member = memberOf(gossiped, this.ports.clock.now());
    const level = kind === 'updated' ? 'debug' : 'info';
    log[level]({ member: member.node, state: member.state, address: member.address }, `${member.node} ${words[kind]}`);
    for (const listener of this.#listeners) listener(kind, member);
  }

  async #spread(): Promise<void> {
    await this.list.update(membershipLimits.updateTimeoutMs).catch((error: unknown) => {
      this.context.log.debug({ err: error }, 'new attributes are still spreading');
    });
  }
}

const words: Readonly<Record<MemberEventKind, string>> = {
  joined: 'is alive',
  suspected: 'is suspect',
  dead: 'is dead',
  left: 'left',
  updated: 'has new attributes',
};
