import { type PushPull, encodeStream } from '../core/codec/stream-message.js';
import type { Config } from '../core/config.js';
import { lanConfig } from '../core/config.js';
import type { Effect, MemberChange } from '../core/effects.js';
import { MemberTable } from '../core/member-table.js';
import { createNode } from '../core/node.js';
import { localPushPull } from '../core/push-pull.js';
import { seededRng, shuffle } from '../core/random.js';
import { pushPullScale } from '../core/timing.js';
import type { Address, Member, Rng } from '../core/types.js';
import { ownVersions } from '../core/versions.js';
import { plainWire } from '../memory/plain-wire.js';
import { VirtualClock, VirtualTime } from '../memory/virtual-clock.js';
import { FleetMember, type FleetOwner } from './fleet-member.js';
import { FleetNetwork } from './fleet-network.js';
import { SharedIndex } from './shared-index.js';
import { bytesOf } from './shared-messages.js';

/** What a fleet is made of. */
export interface FleetOptions {
  readonly members: number;
  readonly seed: number;
  readonly config?: Partial<Config>;
  /** Whether a member notices its own pauses, which the original does not. @default true */
  readonly pauseRule?: boolean;
}

/** Someone's view of a member changed. */
export interface Observation {
  readonly at: number;
  readonly observer: FleetMember;
  readonly change: MemberChange;
  readonly subject: Member;
}

const port = 7946;
/** A stream ping and its ack, about; they are few. */
const streamPingBytes = 60;

/**
 * A cluster of up to thousands on virtual time, everyone knowing everyone from the start. The members run the real core; records and
 * names are shared, since records are never changed in place: 5,000 members with 25 million table entries take half a gigabyte.
 */
export class Fleet implements FleetOwner {
  readonly time = new VirtualTime();
  readonly network: FleetNetwork;
  readonly members: readonly FleetMember[];
  readonly rng: Rng;
  /** Told of every change of every view. */
  observe: (observation: Observation) => void = () => undefined;
  #pushPullBytes: number | undefined;

  constructor(options: FleetOptions) {
    this.rng = seededRng(options.seed);
    this.network = new FleetNetwork(this.time, seededRng(this.#seed()));
    const base = { ...lanConfig, ...options.config };
    const names = Array.from({ length: options.members }, (_, i) => `node-${i + 1}`);
    const ids = new Map(names.map((name, i) => [name, i]));
    const records = names.map((name, i) => record(name, i, base));
    this.members = names.map((name, i) => {
      // Its order of probing; the list is copied by the table.
      shuffle(records, this.rng);
      const table = new MemberTable(records, new SharedIndex(ids));
      const node = createNode({ ...base, name }, { encode: bytesOf }, table);
      const rng = seededRng(this.#seed());
      return new FleetMember(node, addressOf(i), new VirtualClock(this.time), rng, this, options.pauseRule ?? true);
    });
  }

  /** A random member that lives and is not slow. */
  pick(): FleetMember {
    const healthy = this.members.filter((member) => !member.killed && !member.slow);
    const picked = healthy[Math.floor(this.rng() * healthy.length)];
    if (picked === undefined) throw new RangeError('no healthy member is left');
    return picked;
  }

  perform(member: FleetMember, effect: Effect): void {
    switch (effect.kind) {
      case 'packet':
        return this.network.datagram(effect.messages, effect.crc, () =>
          this.#find(effect.to)?.receive(effect.messages, member.address),
        );
      case 'streamPing':
        return this.#streamPing(member, effect);
      case 'pushPull':
        return this.#pushPull(member, effect.to);
      case 'member':
        return this.observe({
          at: this.time.now,
          observer: member,
          change: effect.change,
          subject: effect.member,
        });
      default:
        // Notes, and what only an application asks for.
        return;
    }
  }

  /** One push/pull as things are: bytes of both directions, and the time after which each member begins the next, ms. */
  get pushPullCost(): { readonly bytes: number; readonly everyMs: number } {
    const [{ node }] = this.members as readonly [FleetMember];
    const bytes = 2 * this.#tableBytes(localPushPull(node, false));
    return { bytes, everyMs: pushPullScale(node.config.pushPullIntervalMs, node.table.size) };
  }

  #streamPing(member: FleetMember, { to, seqNo }: Extract<Effect, { kind: 'streamPing' }>): void {
    const ways = this.network.stream(streamPingBytes);
    if (ways === undefined) return;
    const answer = (): void =>
      this.#after(ways.back, () => member.run({ kind: 'streamPinged', seqNo, answered: true }));
    this.#after(ways.there, () => this.#find(to)?.streamPing(answer));
  }

  #pushPull(member: FleetMember, to: Address): void {
    const request = localPushPull(member.node, false);
    const ways = this.network.stream(2 * this.#tableBytes(request));
    if (ways === undefined) return;
    this.#after(ways.there, () =>
      this.#find(to)?.pushPull(request, (theirs) =>
        this.#after(ways.back, () => member.pushPull({ ...theirs, join: false }, undefined)),
      ),
    );
  }

  /** All tables are about the same: one is measured for all. */
  #tableBytes(table: PushPull): number {
    this.#pushPullBytes ??= encodeStream(table, plainWire()).length;
    return this.#pushPullBytes;
  }

  #after(ms: number, then: () => void): void {
    this.time.at(this.time.now + ms, then);
  }

  #find({ addr }: Address): FleetMember | undefined {
    return this.members[(((addr[1] ?? 0) << 16) | ((addr[2] ?? 0) << 8) | (addr[3] ?? 0)) - 1];
  }

  #seed(): number {
    return Math.floor(this.rng() * 0x1_0000_0000);
  }
}

function addressOf(index: number): Address {
  const number = index + 1;
  return { addr: Uint8Array.of(10, number >> 16, (number >> 8) & 0xff, number & 0xff), port };
}

function record(name: string, index: number, config: Omit<Config, 'name'>): Member {
  const state = { meta: new Uint8Array(0), incarnation: 1, state: 'alive', stateChange: 0 } as const;
  return { name, ...addressOf(index), ...state, vsn: ownVersions({ ...config, name }) };
}
