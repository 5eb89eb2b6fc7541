import { join } from 'node:path';
import {
  type BodyOf,
  type Member,
  type MembershipStats,
  type ReplyOf,
  type RequestOf,
  type bootstrapGossip,
  type gossipKeys,
  memberDead,
  memberJoined,
  memberLeft,
  memberSuspected,
  memberUpdated,
  membershipCounted,
  type nodeAttributes,
} from '@das/contracts';
import type { Cancel } from '@das/kernel';
import { SERVICE_CONTEXT, type ServiceContext, StartError, loadCommonConfig, loadConfig } from '@das/platform';
import { Inject, Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { type MembershipConfig, membershipConfig } from './config.js';
import { membershipLimits } from './limits.js';
import { Discovery } from './discovery.js';
import { GossipMembers } from './gossip-members.js';
import type { GossipNetwork, GossipPlace } from './gossip-network.js';
import { openGossip } from './gossip-port.js';
import type { KeyRing } from './core/key-ring.js';
import { seedPortOf } from './gossip-options.js';
import { findKeys } from './key-source.js';
import { KeyringFile } from './keyring-file.js';
import { GossipKeys } from './keys.js';
import { Notes } from './notes.js';
import type { MemberEventKind } from './ports/member-events.js';
import { Seeds, TellingResolver } from './seeds.js';

/** What gossip runs on. */
export const GOSSIP_NETWORK = Symbol('GossipNetwork');

const announcements = {
  joined: memberJoined,
  suspected: memberSuspected,
  dead: memberDead,
  left: memberLeft,
  updated: memberUpdated,
} as const satisfies Record<MemberEventKind, unknown>;

/** All that runs between the start and the end of the service. */
interface Running {
  readonly gossip: GossipMembers;
  readonly keys: GossipKeys;
  readonly discovery: Discovery;
  readonly seeds: Seeds;
  readonly cancelCounting: Cancel;
}

/** The service's life, and the voice of its members: every change is told to the services of this node. */
@Injectable()
export class MembershipService implements OnApplicationBootstrap, OnModuleDestroy {
  readonly #config: MembershipConfig;
  readonly #notes: Notes;
  #running: Running | undefined;
  #stopping: Promise<void> | undefined;

  constructor(
    @Inject(SERVICE_CONTEXT) private readonly context: ServiceContext,
    @Inject(GOSSIP_NETWORK) private readonly network: GossipNetwork,
  ) {
    this.#config = loadConfig(membershipConfig, context.env);
    this.#notes = new Notes(context.log, context.clock);
  }

  async onApplicationBootstrap(): Promise<void> {
    const { context } = this;
    const { DAS_HOME: home, DAS_BIND } = loadCommonConfig(context.env);
    const given = placeOf(this.#config, DAS_BIND);
    const place = { ...given, bind: await this.network.addressOf(given.bind) };
    const named = this.#config.DAS_GOSSIP_KEYRING_FILE;
    const file = new KeyringFile(named ?? join(home, 'gossip', `${context.node}.keyring`), named !== undefined);
    const ring = await findKeys(context, this.#config, file, { bind: place.bind, notes: this.#notes });
    const portFile = join(home, 'gossip', `${context.node}.port`);
    const ports = await openGossip(this.network, place, { file: portFile, newId: context.newId, notes: this.#notes });
    try {
      this.#running = await this.#start(ports, ring, file);
    } catch (error) {
      await ports.transport.close();
      throw error;
    }
  }

  /** Before the bus closes: the last events must still get out. */
  onModuleDestroy(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  members(): Member[] {
    return [...this.#now.gossip.members()];
  }

  attributes(attributes: BodyOf<typeof nodeAttributes>): void {
    this.#running?.gossip.attributes(attributes);
  }

  bootstrap(): ReplyOf<typeof bootstrapGossip> {
    const { gossip, keys } = this.#now;
    const label = this.#config.DAS_GOSSIP_LABEL;
    return {
      by: this.context.node,
      address: gossip.address,
      label,
      edition: keys.ring.edition,
      keys: [...keys.ring.keys],
    };
  }

  keys({ action, key }: RequestOf<typeof gossipKeys>): Promise<ReplyOf<typeof gossipKeys>> {
    return this.#now.keys.act(action, key);
  }

  stats(): MembershipStats {
    const { gossip, keys } = this.#now;
    return {
      node: this.context.node,
      address: gossip.address,
      profile: this.#config.DAS_GOSSIP_PROFILE,
      label: this.#config.DAS_GOSSIP_LABEL,
      encrypted: keys.ring.keys.length > 0,
      healthScore: gossip.list.healthScore,
      members: gossip.counts,
      notes: this.#notes.counts,
    };
  }

  get #now(): Running {
    if (this.#running === undefined) throw new StartError('membership has not started');
    return this.#running;
  }

  async #start(ports: Awaited<ReturnType<GossipNetwork['open']>>, ring: KeyRing, file: KeyringFile): Promise<Running> {
    const { context } = this;
    const notes = this.#notes;
    const listener = (kind: MemberEventKind, member: Member): void =>
      context.bus.tell(announcements[kind], { by: context.node, member });
    const telling = { ...ports, resolver: new TellingResolver(ports.resolver, notes) };
    const gossip = new GossipMembers(context, this.#config, telling, { notes, keys: ring.keys, listener });
    const keys = new GossipKeys(gossip.list.keyring, file, ring, context);
    const tools = { keys, notes, rng: ports.rng, label: this.#config.DAS_GOSSIP_LABEL };
    const discovery = new Discovery(context, gossip, tools);
    const seedTools = { clock: context.clock, notes, resolver: telling.resolver, port: seedPortOf(this.#config) };
    const seeds = new Seeds(this.#config.DAS_GOSSIP_SEEDS, gossip, seedTools);
    const cancelCounting = context.clock.every(membershipLimits.countedEveryMs, () => this.#tellCounts());
    const encrypted = ring.keys.length > 0;
    context.log.info({ address: gossip.address, encrypted }, `gossip is at ${gossip.address}`);
    const running = { gossip, keys, discovery, seeds, cancelCounting };
    try {
      await discovery.start();
    } catch (error) {
      await stopAll(running);
      throw error;
    }
    seeds.start();
    return running;
  }

  #tellCounts(): void {
    if (this.#running === undefined) return;
    const { healthScore, members, notes } = this.stats();
    const { startedAt } = this.#running.gossip.facts;
    this.context.bus.tell(membershipCounted, { node: this.context.node, startedAt, healthScore, members, notes });
  }

  async #stop(): Promise<void> {
    if (this.#running !== undefined) await stopAll(this.#running);
  }
}

async function stopAll({ gossip, keys, discovery, seeds, cancelCounting }: Running): Promise<void> {
  cancelCounting();
  discovery.stop();
  seeds.stop();
  keys.stop();
  await gossip.stop();
}

function placeOf(config: MembershipConfig, bind: string): GossipPlace {
  const given = /^(?:\[([^\]]+)\]|([\d.]+))(?::(\d+))?$/.exec(config.DAS_GOSSIP_ADVERTISE ?? '');
  const addr = given?.[1] ?? given?.[2];
  const port = given?.[3] === undefined ? undefined : Number(given[3]);
  return {
    bind: config.DAS_GOSSIP_BIND ?? bind,
    port: config.DAS_GOSSIP_PORT,
    advertise: addr === undefined ? undefined : { addr, port },
  };
}
