import type { NodeId } from '@das/kernel';
import type { ElectionEvent, OfficeState } from '../core/types.js';
import { Judge } from './judge.js';
import { Links } from './links.js';
import { Machines } from './machines.js';
import { Performer } from './performer.js';
import { SimKv } from './sim-kv.js';
import { type SimNode, wokenInbox } from './sim-node.js';
import { SimStore } from './sim-store.js';
import { VirtualTime, seeded } from './virtual-time.js';
import type { WorldOptions } from './world-options.js';

/** Several nodes, a lossy bus between them, one store, one bucket, on virtual time. What a test does to them is reproducible by seed. */
export class World {
  readonly time = new VirtualTime();
  readonly judge: Judge;
  readonly transcript: string[] = [];
  readonly store: SimStore;
  readonly kv: SimKv;
  readonly links: Links;
  readonly rng: () => number;
  readonly #machines: Machines;
  readonly #performer: Performer;
  readonly #nodes = new Map<string, SimNode>();

  constructor(readonly options: WorldOptions) {
    this.rng = seeded(options.seed);
    const weaken = options.weaken ?? {};
    const label = `${options.strategy ?? 'bully'}, seed ${options.seed}`;
    this.judge = new Judge(label, this.time, options.voters ?? options.nodes, this.transcript);
    this.links = new Links(this.rng, options);
    const answer = ({ name, life }: { name: NodeId; life: number }, event: ElectionEvent): void =>
      this.deliver(name, life, event);
    this.store = new SimStore(this.time, this.links, this.judge, weaken.noFence !== true, answer);
    this.kv = new SimKv(this.time, this.links, weaken, answer, () => this.#tellWatchers());
    this.#machines = new Machines(options, this.rng);
    this.#performer = new Performer(this, weaken);
    for (const name of options.nodes) this.#nodes.set(name, this.#machines.first(name));
  }

  /* ── what a test may do ───────────────────────────────────────────────────────────────────────── */

  say(text: string): void {
    if (this.options.trace === false) return;
    this.transcript.push(`${String(Math.round(this.time.now)).padStart(6)} ${text}`);
  }
  startAll(): void {
    for (const name of this.#nodes.keys()) this.start(name);
  }
  start(name: string): void {
    const old = this.node(name);
    if (old.up) return;
    const node = this.#machines.next(old);
    node.up = true;
    this.#nodes.set(name, node);
    this.say(`${name}: starts`);
    this.feed(node, { kind: 'started' });
    for (const other of this.#nodes.values()) {
      if (other.up) this.feed(node, { kind: 'memberAlive', node: other.name });
      if (other.up && other !== node) this.#deliverNow(other, { kind: 'memberAlive', node: node.name });
    }
    this.store.read(this.asker(node));
    this.#beatSplitter(node, node.life);
  }
  /** SIGKILL: nothing is said; membership notices later. */
  crash(name: string): void {
    const node = this.node(name);
    if (!node.up) return;
    this.say(`${name}: is killed`);
    node.up = false;
    node.disk.crash();
    const { life } = node;
    this.time.after(this.options.deadMs ?? 5_000, () => {
      if (this.node(name).life === life) this.#tellOthers(name, { kind: 'memberDead', node: node.name });
    });
  }
  stop(name: string): void {
    const node = this.node(name);
    if (!node.up || node.paused) return;
    this.say(`${name}: is stopped`);
    this.feed(node, { kind: 'stop' });
    node.up = false;
    node.disk.crash();
    this.#tellOthers(name, { kind: 'memberLeft', node: node.name });
  }
  /** The disk of a node that is down is replaced, or cannot be read any more. */
  loseDisk(name: string): void {
    this.say(`${name}: loses its disk`);
    this.node(name).disk.lose();
    this.judge.ballots.diskLost(this.node(name).name);
  }
  /** The bucket's server comes back without its newest writes, or without any. */
  loseBucket(what: 'tail' | 'all'): void {
    this.say(what === 'tail' ? 'the bucket forgets its newest writes' : 'the bucket forgets everything');
    this.judge.ballots.bucketForgot([...this.#nodes.values()]);
    if (what === 'tail') this.kv.loseTail();
    else this.kv.lose();
  }
  pause(name: string): void {
    this.say(`${name}: is paused`);
    this.node(name).paused = true;
  }
  resume(name: string): void {
    const node = this.node(name);
    if (!node.paused) return;
    this.say(`${name}: wakes`);
    node.paused = false;
    for (const { event, life } of wokenInbox(node)) this.deliver(node.name, life, event);
  }
  healAll(): void {
    this.links.heal();
    this.store.away = false;
    this.kv.away = false;
    for (const name of this.#nodes.keys()) this.resume(name);
  }
  silenceSplitter(name: string): void {
    this.say(`${name}: its job-splitter falls silent`);
    this.node(name).splitter.up = false;
  }
  restartSplitter(name: string): void {
    const { splitter } = this.node(name);
    splitter.up = true;
    splitter.epoch += 1;
    this.say(`${name}: its job-splitter is a new instance`);
    this.hint(name, { kind: 'splitterBeat', epoch: `epoch-${splitter.epoch}` });
  }
  hint(name: string, event: ElectionEvent): void {
    const node = this.node(name);
    this.deliver(node.name, node.life, event);
  }

  /* ── what a test may look at ──────────────────────────────────────────────────────────────────── */

  get names(): readonly string[] {
    return [...this.#nodes.keys()];
  }
  node(name: string): SimNode {
    const node = this.#nodes.get(name);
    if (node === undefined) throw new RangeError(`no node ${name}`);
    return node;
  }
  isUp(name: string): boolean {
    const node = this.node(name);
    return node.up && !node.paused;
  }
  stateOf<S extends OfficeState = OfficeState>(name: string): S {
    return this.node(name).state as S;
  }
  /** Who leads in the view of each running node. */
  views(): (string | undefined)[] {
    const { strategy } = this.#machines;
    const up = [...this.#nodes.values()].filter((node) => node.up && !node.paused);
    return up.map((node) => strategy.leaderOf(node.state, node.clock.mono(this.time.now)).leader);
  }
  /** Nodes that lead by their own state and would act now. */
  acting(): string[] {
    const { strategy } = this.#machines;
    const leads = ({ up, paused, state, clock }: SimNode): boolean =>
      up && !paused && clock.mono(this.time.now) < strategy.trustedUntil(state);
    return [...this.#nodes.values()].filter(leads).map((node) => node.name);
  }

  /* ── how the world turns ──────────────────────────────────────────────────────────────────────── */

  asker(node: SimNode): { name: NodeId; life: number; mono: () => number } {
    return { name: node.name, life: node.life, mono: () => node.clock.mono(this.time.now) };
  }

  deliver(name: NodeId, life: number, event: ElectionEvent): void {
    const node = this.node(name);
    if (node.up && node.life === life) this.#deliverNow(node, event);
  }

  feed(node: SimNode, event: ElectionEvent): void {
    const before = node.state;
    const { state, effects } = this.#machines.strategy.step(before, event, node.clock.mono(this.time.now), this.rng);
    node.state = state;
    const others = [...this.#nodes.values()].filter((other) => other !== node && other.up);
    this.judge.stepped(node, before, state, others);
    for (const effect of effects) this.#performer.perform(node, effect);
  }

  #deliverNow(node: SimNode, event: ElectionEvent): void {
    if (node.paused) node.inbox.push({ event, life: node.life });
    else this.feed(node, event);
  }

  #tellOthers(name: string, event: ElectionEvent): void {
    for (const other of this.#nodes.values()) if (other.name !== name && other.up) this.#deliverNow(other, event);
  }

  #tellWatchers(): void {
    for (const node of this.#nodes.values()) {
      if (!node.up || this.links.isCut(node.name, 'kv') || this.links.loses()) continue;
      const { name, life } = node;
      this.time.after(this.links.delay(), () => this.deliver(name, life, { kind: 'kvChanged' }));
    }
  }

  #beatSplitter(node: SimNode, life: number): void {
    if (node.life !== life || !node.up) return;
    // Paused or not, its beats come; a pause of the process queues them.
    if (node.splitter.up)
      this.deliver(node.name, life, { kind: 'splitterBeat', epoch: `epoch-${node.splitter.epoch}` });
    const { splitterBeatMs } = this.#machines.timings;
    this.time.after(splitterBeatMs, () => this.#beatSplitter(node, life));
  }
}
