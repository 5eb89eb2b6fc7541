import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Cluster } from '@das/supervisor';
import type { Eyes, LeaderSeen } from './eyes.js';
import type { Action, Place, ServerName, Target } from './faults.js';
import type { PerformedFault } from './figures.js';
import type { PlannedFault, PlannedHit } from './plan.js';
import { family, freeze, helpersOf, signal } from './processes.js';
import { awaited, pause } from './waiting.js';

/** No new leader by then is told as such (ms): four times the slowest strategy's bound. */
const leaderWithinMs = 36_000;
const leaderLookMs = 40;
/** The state before a fault is asked again and again until somebody tells it (ms). */
const knownWithinMs = 10_000;
/** A service of its own process is started again by its node within it, or the fault is told as never healed (ms). */
const serviceWithinMs = 60_000;
const serviceLookMs = 50;

/** What one fault did, until it was over. */
interface Hit {
  readonly hit: string;
  /** Nodes whose executor is away meanwhile. */
  readonly nodes: readonly string[];
  readonly server: boolean;
  /** The process that leads was hit, so that another node should. */
  readonly leads: boolean;
  /** Ends the fault after its time and resolves when what was hit runs again. @throws Error in words when it does not. */
  readonly heal: () => Promise<void>;
}

/** Performs planned faults on a cluster whose supervisor starts nothing by itself. */
export class Injector {
  constructor(
    private readonly cluster: Cluster,
    private readonly eyes: Eyes,
    private readonly contact: string,
    /** Whether all is over: then nothing is started again. */
    private readonly over: () => boolean,
  ) {}

  /** Resolves when the fault is over. @throws Error in words when something that was hit does not come back. */
  async perform(planned: PlannedFault): Promise<PerformedFault> {
    const before = (await awaited(() => this.eyes.leader(), knownWithinMs, leaderLookMs)) ?? { term: 0 };
    const at = Date.now();
    const hits = await Promise.all(planned.hits.map((hit) => this.#hit(hit, planned.pick, before)));
    const leads = hits.some((hit) => hit.leads);
    const [newLeaderMs] = await Promise.all([
      leads ? this.#newLeader(before, at) : undefined,
      ...hits.map((hit) => hit.heal()),
    ]);
    return {
      name: planned.hits.length === 1 ? planned.hits[0]!.kind.name : 'two at once',
      hit: hits.map(({ hit }) => hit).join(' and '),
      at,
      healedAt: Date.now(),
      nodes: [...new Set(hits.flatMap(({ nodes }) => nodes))],
      server: hits.some(({ server }) => server),
      ...(newLeaderMs === undefined ? {} : { newLeaderMs }),
    };
  }

  /** Starts a fault; resolves as soon as the signals are sent. */
  async #hit({ kind, downMs }: PlannedHit, pick: number, before: LeaderSeen): Promise<Hit> {
    const { action, target } = kind;
    if (target.on === 'server') return this.#hitServer(action, target.server, downMs);
    const node = this.#nodeAt(target.place, before, pick);
    const leads = node === before.leader;
    if (target.on === 'node') return { ...this.#hitNode(action, node, downMs, pick), leads };
    if (target.on === 'helper') return this.#hitHelper(action, node, target.helper, downMs, pick);
    // Its node may lead again before anybody misses it.
    return this.#hitService(action, node, target, downMs);
  }

  /** Where nobody leads, or all others are down, any node that runs will do. */
  #nodeAt(place: Place, { leader }: LeaderSeen, pick: number): string {
    const running = this.cluster.nodes.filter(({ state }) => state === 'ready').map(({ name }) => String(name));
    const wanted = running.filter((name) =>
      place === 'other'
        ? name !== leader && name !== this.contact
        : name === (place === 'leader' ? leader : this.contact),
    );
    const among = wanted.length > 0 ? wanted : running;
    const found = among[Math.floor(pick * among.length)];
    if (found === undefined) throw new Error('no node runs');
    return found;
  }

  #hitNode(action: Action, name: string, downMs: number, pick: number): Omit<Hit, 'leads'> {
    const node = this.cluster.node(name);
    const common = { nodes: [name], server: false };
    if (action === 'pause') return { ...common, hit: name, heal: thaw([node.pid], downMs) };
    if (action === 'restart') return { ...common, hit: name, heal: () => node.restart() };
    // As a machine that loses power, or as a process that is killed for its memory: its children see that by themselves.
    const whole = pick < 0.5;
    if (whole) signal(-node.pid, 'SIGKILL');
    const killed = node.kill('SIGKILL');
    const heal = async (): Promise<void> => {
      await Promise.all([killed, pause(downMs)]);
      if (!this.over()) await node.restart();
    };
    return { ...common, hit: whole ? `${name} with its processes` : name, heal };
  }

  #hitServer(action: Action, name: ServerName, downMs: number): Hit {
    const server = this.cluster[name];
    if (server?.pid === undefined) throw new Error(`${name} does not run`);
    const common = { hit: name, nodes: [], server: true, leads: false };
    if (action === 'pause') return { ...common, heal: thaw([server.pid], downMs) };
    if (action === 'restart') return { ...common, heal: () => server.restart() };
    const killed = server.kill();
    const heal = async (): Promise<void> => {
      await Promise.all([killed, pause(downMs)]);
      if (!this.over()) await server.restart();
    };
    return { ...common, heal };
  }

  #hitHelper(action: Action, node: string, helper: 'worker' | 'nursery' | 'warden', downMs: number, pick: number): Hit {
    const found = helpersOf(this.cluster.node(node).pid, helper);
    const process = found[Math.floor(pick * found.length)];
    const common = { nodes: [], server: false, leads: false };
    if (process === undefined) return { ...common, hit: `no ${helper} of ${node}`, heal: async () => undefined };
    const hit = `${helper} ${process.pid} of ${node}`;
    if (action === 'pause') return { ...common, hit, heal: thaw([process.pid], downMs) };
    signal(process.pid, 'SIGKILL');
    return { ...common, hit, heal: async () => undefined };
  }

  /** Its node starts it again; nobody has to. */
  async #hitService(
    action: Action,
    node: string,
    { service }: Target & { on: 'service' },
    downMs: number,
  ): Promise<Hit> {
    const pid = await this.#pidOf(node, service);
    const nodes = service === 'executor' ? [node] : [];
    const common = { hit: `${service} of ${node}`, nodes, server: false, leads: false };
    if (action === 'pause') return { ...common, heal: thaw([pid], downMs) };
    signal(pid, action === 'kill' ? 'SIGKILL' : 'SIGTERM');
    const back = async (): Promise<true | undefined> => {
      const now = await this.#pidOf(node, service);
      return now !== pid && family(now).length > 0 ? true : undefined;
    };
    const heal = async (): Promise<void> => {
      if (await awaited(back, serviceWithinMs, serviceLookMs)) return;
      throw new Error(`${service} of ${node} was not started again within ${serviceWithinMs / 1000} s`);
    };
    return { ...common, heal };
  }

  async #pidOf(node: string, service: string): Promise<number> {
    return Number(await readFile(join(this.cluster.home, 'pids', `${node}-${service}.pid`), 'utf8'));
  }

  /** How long until a node that runs says that another one leads, in a higher term (ms). @throws Error when none does. */
  async #newLeader(before: LeaderSeen, at: number): Promise<number> {
    let known = false;
    // Each node is asked in a loop of its own: one that stands still must not keep us from hearing the others.
    const told = async (node: string): Promise<true | undefined> => {
      if (known) return true;
      const { leader, term } = await this.eyes.leaderSeenBy(node);
      return leader !== undefined && term > before.term ? true : undefined;
    };
    const others = this.cluster.nodes.map(({ name }) => name).filter((name) => name !== before.leader);
    const answers = others.map(async (node) => {
      if (!(await awaited(() => told(node), leaderWithinMs, leaderLookMs))) throw new Error(`${node} knows of none`);
      known = true;
    });
    const found = await Promise.any(answers).then(
      () => Date.now() - at,
      () => undefined,
    );
    if (found !== undefined) return found;
    throw new Error(`no node led within ${leaderWithinMs / 1000} s after ${before.leader ?? 'nobody'} was hit`);
  }
}

function thaw(pids: readonly number[], afterMs: number): () => Promise<void> {
  const release = freeze(pids);
  const ended = pause(afterMs).then(release);
  return () => ended;
}
