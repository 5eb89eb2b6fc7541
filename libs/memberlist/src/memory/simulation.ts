import { formatIp } from '../core/address.js';
import type { Wire } from '../core/codec/wire.js';
import { type Config, lanConfig } from '../core/config.js';
import type { Hooks } from '../core/hooks.js';
import { isPresent } from '../core/member-table.js';
import { seededRng } from '../core/random.js';
import type { Address, Member, MemberState, Rng } from '../core/types.js';
import { Engine } from '../engine/engine.js';
import type { EngineNote } from '../engine/listener.js';
import { MemoryNetwork, type MemoryTransport } from './memory-network.js';
import { plainWire } from './plain-wire.js';
import { VirtualClock, VirtualTime } from './virtual-clock.js';

/** How one simulated node differs from a plain one with LAN defaults. */
export interface SimulatedNodeOptions {
  readonly config?: Partial<Config>;
  readonly hooks?: Omit<Hooks, 'wireOverhead'>;
  readonly wire?: Partial<Wire>;
  readonly meta?: Uint8Array;
  /** Address of its own; else 10.0.0.1, 10.0.0.2 … */
  readonly address?: Address;
}

const noted = new Set<string>(['refuted', 'udpBroken', 'paused', 'mergeRefused', 'probeFailed']);

/** One node of a {@link Simulation}. */
export class SimulatedNode {
  readonly engine: Engine;
  readonly clock: VirtualClock;
  readonly transport: MemoryTransport;
  readonly messages: Uint8Array[] = [];
  readonly remoteStates: Uint8Array[] = [];
  readonly notes: EngineNote[] = [];
  readonly conflicts: Member[] = [];
  readonly probed: { readonly name: string; readonly rttMs: number; readonly payload: Uint8Array }[] = [];

  constructor(
    private readonly simulation: Simulation,
    readonly name: string,
    readonly address: Address,
    options: SimulatedNodeOptions,
  ) {
    const { time, network } = simulation;
    this.clock = new VirtualClock(time);
    this.transport = network.bind(address, this.clock);
    this.engine = new Engine({
      config: { ...lanConfig, name, ...options.config },
      hooks: options.hooks ?? {},
      wire: { ...plainWire(), ...options.wire },
      transport: this.transport,
      clock: this.clock,
      rng: seededRng(simulation.nextSeed()),
      listener: {
        member: (change, member) => simulation.log(`${name}: ${member.name} ${change}${changeDetail(change, member)}`),
        conflict: (_, other) => void this.conflicts.push(other),
        userMessage: (payload) => void this.messages.push(payload),
        remoteState: (payload) => void this.remoteStates.push(payload),
        probed: (member, rttMs, payload) => void this.probed.push({ name: member.name, rttMs, payload }),
        note: (note) => this.#note(note),
      },
    });
    this.engine.start(options.meta ?? new Uint8Array(0));
  }

  /** State of a member as this node sees it; nothing for an unknown one. */
  stateOf(name: string): MemberState | undefined {
    return this.engine.node.table.get(name)?.state;
  }

  /** Names of those it counts as part of the cluster, sorted. */
  get present(): string[] {
    return this.engine.node.table.all
      .filter(isPresent)
      .map(({ name }) => name)
      .sort();
  }

  /** Notes with this code. */
  noted(code: EngineNote['code']): EngineNote[] {
    return this.notes.filter((note) => note.code === code);
  }

  /** Push/pull with another; gives the problem, or nothing. Time goes on until it ended. */
  join(other: SimulatedNode): string | undefined {
    let result: { readonly problem: string | undefined } | undefined;
    this.engine.pushPull(other.address, true, (problem) => (result = { problem }));
    this.simulation.time.advanceUntil(() => result !== undefined, 20_000, 1);
    return result === undefined ? 'never ended' : result.problem;
  }

  /** Ends it as SIGKILL does. */
  kill(): void {
    this.simulation.log(`${this.name} is killed`);
    this.engine.close();
    void this.transport.close();
  }

  #note(note: EngineNote): void {
    this.notes.push(note);
    if (note.code === 'internal') throw new Error(note.detail);
    if (noted.has(note.code)) this.simulation.log(`${this.name}: ${note.code}, ${note.detail}`);
  }
}

function changeDetail(change: string, { state, incarnation }: Member): string {
  return change === 'leave' ? ` (${state}, incarnation ${incarnation})` : ` (incarnation ${incarnation})`;
}

/** A whole cluster in one process, on virtual time and from one seed. */
export class Simulation {
  readonly time = new VirtualTime();
  readonly network: MemoryNetwork;
  readonly nodes: SimulatedNode[] = [];
  readonly #rng: Rng;
  readonly #lines: string[] = [];

  constructor(seed: number) {
    this.#rng = seededRng(seed);
    this.network = new MemoryNetwork(this.time, seededRng(this.nextSeed()));
  }

  /** A seed for something that needs chance of its own. */
  nextSeed(): number {
    return Math.floor(this.#rng() * 0x1_0000_0000);
  }

  /** A new node, running and alone. */
  add(name: string, options: SimulatedNodeOptions = {}): SimulatedNode {
    const number = this.nodes.length + 1;
    const address = options.address ?? { addr: Uint8Array.of(10, 0, number >> 8, number & 0xff), port: 7946 };
    const node = new SimulatedNode(this, name, address, options);
    this.nodes.push(node);
    return node;
  }

  /** Nodes with these names in one cluster, each knowing all. */
  cluster(names: readonly string[], options: SimulatedNodeOptions = {}): SimulatedNode[] {
    const nodes = names.map((name) => this.add(name, options));
    const [first, ...others] = nodes;
    for (const node of others) if (first !== undefined) node.join(first);
    const whole = (): boolean => nodes.every((node) => node.present.length === names.length);
    if (!this.time.advanceUntil(whole, 60_000)) throw new Error('the cluster did not come together');
    return nodes;
  }

  /** Separates these nodes from all others. */
  partition(nodes: readonly SimulatedNode[]): void {
    const inside = new Set(nodes.map(({ address }) => formatIp(address.addr)));
    const isInside = (address: Address): boolean => inside.has(formatIp(address.addr));
    this.log(`${nodes.map(({ name }) => name).join(', ')} cut off`);
    this.network.faults = { ...this.network.faults, blocked: (from, to) => isInside(from) !== isInside(to) };
  }

  /** Ends all partitions. */
  heal(): void {
    this.log('healed');
    this.network.faults = { ...this.network.faults, blocked: () => false };
  }

  /** One line of the transcript, with the time in seconds. */
  log(line: string): void {
    this.#lines.push(`${(this.time.now / 1000).toFixed(3).padStart(9)}  ${line}`);
  }

  /** All that happened, as text. */
  get transcript(): string {
    return `${this.#lines.join('\n')}\n`;
  }
}
