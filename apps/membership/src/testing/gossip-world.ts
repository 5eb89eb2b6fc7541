import { mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type BodyOf,
  type MemberSeen,
  bootstrapGossip,
  gossipKeys,
  listMembers,
  memberDead,
  memberJoined,
  memberLeft,
  memberPresence,
  memberSuspected,
  memberUpdated,
  membershipStats,
} from '@das/contracts';
import { type Clock, type NodeId, nodeId } from '@das/kernel';
import {
  type Address,
  Memberlist,
  type MemberlistOptions,
  type MemberlistPorts,
  MemoryNetwork,
  NodeCipher,
  VirtualClock,
  VirtualTime,
  formatAddress,
  parseIp,
  seededRng,
} from '@das/memberlist';
import { type MemoryBus, MemoryEventLog, MemoryHub, ServiceBusOver } from '@das/messaging';
import { type Logger, type RunningService, startService } from '@das/platform';
import type { KeyRing } from '../core/key-ring.js';
import { type GossipNetwork, type GossipPlace, PortInUseError } from '../gossip-network.js';
import { membershipOver } from '../service.js';

/** A clock that a test moves. */
interface MovedClock extends Clock {
  advanceAsync(ms: number): Promise<void>;
}

const stepMs = 10;
export const someKey = (seed: number): string => Buffer.alloc(32, seed).toString('base64');

/** Membership services on a bus and a network in memory, all on virtual time; a folder of its own for each node. */
export class GossipWorld implements GossipNetwork {
  readonly time = new VirtualTime();
  readonly network = new MemoryNetwork(this.time, seededRng(7));
  readonly hub: MemoryHub;
  readonly bus: ServiceBusOver;
  readonly lines: string[] = [];
  /** `by: joined node`, in the order they were told. */
  readonly told: string[] = [];
  readonly seen: MemberSeen[] = [];
  readonly presences: BodyOf<typeof memberPresence>[] = [];
  /** Addresses of names. */
  readonly hosts = new Map<string, string>();
  readonly #running = new Map<NodeId, { readonly service: RunningService; readonly bus: MemoryBus }>();
  readonly #replaced: RunningService[] = [];
  readonly #others: Memberlist[] = [];
  readonly #vanished = new Set<string>();
  #folder = '';
  #nextPort = 40_000;
  #ids = 0;

  constructor(readonly clock: MovedClock) {
    this.hub = new MemoryHub(clock);
    const identity = { node: nodeId('stand-in'), service: 'test' };
    this.bus = new ServiceBusOver(this.hub.connect(), identity, clock, () => `id-${(this.#ids += 1)}`);
    this.network.faults = { blocked: (from, to) => this.isCut(from) !== this.isCut(to) };
  }

  addressOf = (bind: string): Promise<string> => Promise.resolve(this.hosts.get(bind) ?? bind);

  async open({ port }: GossipPlace): Promise<MemberlistPorts> {
    const address = {
      addr: parseIp('127.0.0.1') ?? new Uint8Array(4),
      port: port === 0 ? (this.#nextPort += 1) : port,
    };
    return this.#portsAt(address);
  }

  async begin(): Promise<this> {
    this.#folder = await mkdtemp(join(tmpdir(), 'das-gossip-'));
    const kinds = {
      joined: memberJoined,
      suspected: memberSuspected,
      dead: memberDead,
      left: memberLeft,
      updated: memberUpdated,
    };
    for (const [kind, announcement] of Object.entries(kinds)) {
      await this.bus.hear(announcement, (seen) => {
        this.told.push(`${seen.by}: ${kind} ${seen.member.node}`);
        this.seen.push(seen);
      });
    }
    await this.bus.hear(memberPresence, (presence) => this.presences.push(presence));
    return this;
  }

  async end(): Promise<void> {
    for (const node of [...this.#running.keys()]) await this.stop(node);
    for (const service of this.#replaced) await this.during(service.close());
    await Promise.all(this.#others.map((other) => other.shutdown()));
    await this.bus.close();
    await rm(this.#folder, { recursive: true, force: true });
  }

  /** Resolves when it runs; time goes on meanwhile. */
  async start(node: NodeId, env: Record<string, string> = {}): Promise<RunningService> {
    const before = this.#running.get(node);
    if (before !== undefined) this.#replaced.push(before.service);
    const bus = this.hub.connect();
    const transport = { bus, events: new MemoryEventLog() };
    const write = (_fields: unknown, message: string): void => void this.lines.push(`${node}: ${message}`);
    const log: Logger = { debug: () => undefined, info: write, warn: write, error: write };
    const own = { DAS_NODE: node, DAS_HOME: this.home(node), DAS_NATS_TOKEN: 'a-token-of-the-cluster', ...env };
    const started = await this.during(startService(membershipOver(this), own, { transport, clock: this.clock, log }));
    this.#running.set(node, { service: started, bus });
    return started;
  }

  async stop(node: NodeId): Promise<void> {
    const running = this.#running.get(node);
    this.#running.delete(node);
    if (running !== undefined) await this.during(running.service.close());
  }

  /** As a SIGKILL looks from outside: silent on the network and on the bus. */
  async crash(node: NodeId): Promise<void> {
    await this.cut(node);
    await this.#running.get(node)?.bus.close();
  }

  /** A member that is none of ours, on the same network. */
  foreign(options: MemberlistOptions, meta: Uint8Array): Memberlist {
    const address = { addr: parseIp('127.0.0.1') ?? new Uint8Array(4), port: (this.#nextPort += 1) };
    const other = new Memberlist(options, this.#portsAt(address), { nodeMeta: () => meta });
    this.#others.push(other);
    return other;
  }

  home(node: string): string {
    return join(this.#folder, node);
  }
  /** The keyring that a node keeps itself, before it starts. */
  async ringOf(node: NodeId, ring: KeyRing): Promise<void> {
    const folder = join(this.home(node), 'gossip');
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, `${node}.keyring`), JSON.stringify(ring), { mode: 0o600 });
  }
  file(name: string): string {
    return join(this.#folder, name);
  }
  async keyring(name: string, keys: readonly string[], mode = 0o600): Promise<string> {
    await writeFile(this.file(name), JSON.stringify(keys), { mode });
    return this.file(name);
  }

  /** Cuts nodes off from the others, on the network only. Without names: whole again. */
  async cut(...nodes: NodeId[]): Promise<void> {
    const addresses = await Promise.all(nodes.map(async (node) => (await this.stats(node)).address));
    this.#vanished.clear();
    for (const address of addresses) this.#vanished.add(address);
  }
  private isCut(address: Address): boolean {
    return this.#vanished.has(formatAddress(address));
  }

  /** Both clocks, step by step; promises settle in between. */
  async pass(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += stepMs) {
      this.time.advance(stepMs);
      await this.clock.advanceAsync(stepMs);
    }
  }
  async until(holds: () => boolean | Promise<boolean>, withinMs: number): Promise<number> {
    for (let passed = 0; passed <= withinMs; passed += stepMs) {
      if (await holds()) return passed;
      await this.pass(stepMs);
    }
    throw new Error(`not within ${withinMs} ms`);
  }
  /** Until some work is done. Slowly: files take real time, in which no time limit on the virtual clock must run out. */
  async during<T>(work: Promise<T>): Promise<T> {
    let open = true;
    void work.then(
      () => (open = false),
      () => (open = false),
    );
    while (open) {
      this.time.advance(1);
      await this.clock.advanceAsync(1);
      await stat(this.#folder);
    }
    return work;
  }

  list = async (node: NodeId) => (await this.bus.call(listMembers, {}, { node })).body.members;
  stats = async (node: NodeId) => (await this.bus.call(membershipStats, {}, { node })).body;
  keys = async (node: NodeId, action: 'list' | 'install' | 'use' | 'remove', key?: string) =>
    // Time stands still while the file is written.
    (await this.bus.call(gossipKeys, key === undefined ? { action } : { action, key }, { node })).body;
  bootstrap = async () => (await this.bus.call(bootstrapGossip, { node: this.bus.node })).body;

  /** `{ name: state }` as a node sees it. */
  async states(node: NodeId): Promise<Record<string, string>> {
    return Object.fromEntries((await this.list(node)).map((member) => [member.node, member.state]));
  }
  toldBy(node: NodeId): string[] {
    return this.told
      .filter((line) => line.startsWith(`${node}: `) && !line.includes('updated'))
      .map((line) => line.slice(node.length + 2));
  }

  #portsAt(address: Address): MemberlistPorts {
    const clock = new VirtualClock(this.time);
    const resolver = { resolve: (host: string) => Promise.reject(new Error(`getaddrinfo ENOTFOUND ${host}`)) };
    try {
      const transport = this.network.bind(address, clock);
      return { transport, clock, cipher: new NodeCipher(), resolver, rng: seededRng(address.port) };
    } catch (error) {
      throw new PortInUseError(`the gossip port ${address.port} on 127.0.0.1 is in use`, { cause: error });
    }
  }
}
