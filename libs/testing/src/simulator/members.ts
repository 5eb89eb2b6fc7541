import type { Links, VirtualTime } from '@das/election/sim';
import {
  type Address,
  type Effect,
  type Node,
  type NodeEvent,
  type PushPull,
  clusterConfig,
  createNode,
  decodeMessage,
  inOrder,
  localPushPull,
  nextWake,
  step,
} from '@das/memberlist';
import type { NodeId, Rng } from '@das/kernel';
import type { Bus } from './bus.js';
import type { Machine, Process } from './machine.js';

/** What a node hears of its own membership. */
export type MemberNews = (machine: Machine, kind: 'memberAlive' | 'memberDead' | 'memberLeft', node: NodeId) => void;

export interface MembersOwner {
  readonly time: VirtualTime;
  readonly bus: Bus;
  readonly rng: Rng;
  /** Ways of gossip, beside the bus. */
  readonly gossip: Links;
  readonly machines: ReadonlyMap<string, Machine>;
  membersOf(machine: Machine): Members | undefined;
  readonly memberNews: MemberNews;
}

/** The cluster profile at a quarter of its pace, for a quarter of the events; suspicions last about as long as there. */
export const gossipConfig = {
  ...clusterConfig,
  probeIntervalMs: 1_000,
  probeTimeoutMs: 300,
  gossipIntervalMs: 200,
  suspicionMult: 2,
  suspicionMaxTimeoutMult: 2,
};
/** As membership announces itself over the bus (ms). */
const presenceSoonMs = [2_000, 5_000];
const presenceEveryMs = 10_000;
const joinSpreadMs = 100;
/** A goodbye has this long to spread before the process ends (ms). */
export const goodbyeMs = 600;

const port = 7_946;
const addressOf = ({ no }: Machine): Address => ({ addr: Uint8Array.of(10, 0, no >> 8, (no & 0xff) + 1), port });

/** The membership of one machine: the real gossip core over lossy ways of its own, found through the bus. */
export class Members {
  readonly node: Node;
  #armedFor: number | undefined;

  constructor(
    private readonly owner: MembersOwner,
    readonly process: Process,
  ) {
    this.node = createNode({ ...gossipConfig, name: process.name });
  }

  start(): void {
    this.#run({ kind: 'start', address: addressOf(this.process.machine), meta: new Uint8Array(0) });
    this.#announce();
    for (const afterMs of presenceSoonMs) this.process.after(afterMs, () => this.#announce());
    this.process.every(presenceEveryMs, () => this.#announce());
  }

  leave(): void {
    this.#run({ kind: 'leave', token: 1 });
  }

  /** Names of those it counts as members, sorted. */
  get present(): string[] {
    const members = this.node.table.all.filter(({ state }) => state === 'alive' || state === 'suspect');
    return members.map(({ name }) => name).sort();
  }

  /** Joins who its gossip does not know. */
  heardPresence(other: Machine): void {
    const state = this.node.table.get(other.name)?.state;
    if (other === this.process.machine || (state !== undefined && state !== 'dead' && state !== 'left')) return;
    this.process.after(this.owner.rng() * joinSpreadMs, () => this.#pushPull(addressOf(other), true));
  }

  #announce(): void {
    const { owner, process } = this;
    owner.bus.tell(process.name, owner.machines.values(), (machine) =>
      owner.membersOf(machine)?.heardPresence(process.machine),
    );
  }

  #run(event: NodeEvent): void {
    for (const effect of step(this.node, event, this.process.mono(), this.owner.rng)) this.#perform(effect);
    this.#arm();
  }

  #arm(): void {
    const at = nextWake(this.node);
    if (at === undefined || at === this.#armedFor) return;
    this.#armedFor = at;
    this.process.after(at - this.process.mono(), () => this.#wake(at));
  }

  /** Late means that the process stood still: what waits is read before anything is concluded. */
  #wake(planned: number): void {
    if (this.#armedFor !== planned) return;
    this.#armedFor = undefined;
    const lateMs = this.process.mono() - planned;
    if (lateMs <= gossipConfig.probeTimeoutMs / 2) return this.#run({ kind: 'wake' });
    this.#run({ kind: 'paused', lateMs });
    this.process.after(1, () => this.#run({ kind: 'wake' }));
  }

  #perform(effect: Effect): void {
    switch (effect.kind) {
      case 'packet':
        return this.#packet(effect.to, effect.messages);
      case 'streamPing':
        return this.#streamPing(effect.to, effect.seqNo);
      case 'pushPull':
        return this.#pushPull(effect.to, false);
      case 'member':
        return this.#member(effect);
      default:
        // Notes, and what only applications ask for.
        return;
    }
  }

  #member({ change, member: { name, state } }: Extract<Effect, { kind: 'member' }>): void {
    const kind = change === 'leave' ? (state === 'left' ? 'memberLeft' : 'memberDead') : 'memberAlive';
    this.owner.memberNews(this.process.machine, kind, name as NodeId);
  }

  #packet(to: Address, messages: readonly Uint8Array[]): void {
    const from = addressOf(this.process.machine);
    this.#carry(this.process.machine, this.#at(to), (other) => {
      const heard = messages.map((bytes) => decodeMessage(bytes)).flatMap((read) => (read.ok ? [read.value] : []));
      for (const message of inOrder(heard)) other.#run({ kind: 'message', from, message });
    });
  }

  #streamPing(to: Address, seqNo: number): void {
    this.#carry(this.process.machine, this.#at(to), (other) =>
      other.#carry(other.process.machine, this.process.machine, (self) => {
        if (self === this) this.#run({ kind: 'streamPinged', seqNo, answered: true });
      }),
    );
  }

  #pushPull(to: Address, join: boolean): void {
    const request = localPushPull(this.node, join);
    this.#carry(this.process.machine, this.#at(to), (other) => {
      const reply: PushPull = { ...localPushPull(other.node, join), join: false };
      other.#carry(other.process.machine, this.process.machine, (self) => {
        if (self === this) this.#run({ kind: 'pushPull', remote: reply });
      });
      other.#run({ kind: 'pushPull', remote: request });
    });
  }

  #carry(from: Machine, to: Machine | undefined, arrive: (members: Members) => void): void {
    const { gossip, time } = this.owner;
    if (to === undefined) return;
    for (let copies = gossip.copies(from.name, to.name); copies > 0; copies -= 1) {
      time.after(gossip.delay(), () => {
        const members = this.owner.membersOf(to);
        members?.process.deliver(() => arrive(members));
      });
    }
  }

  #at({ addr }: Address): Machine | undefined {
    const no = (((addr[2] ?? 0) << 8) | (addr[3] ?? 0)) - 1;
    for (const machine of this.owner.machines.values()) if (machine.no === no) return machine;
    return undefined;
  }
}
