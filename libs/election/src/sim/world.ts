import type { NodeId } from '@das/kernel';
import { initialState, leaderOf, step } from '../core/bully.js';
import { defaultTimings } from '../core/types.js';
import type { BullyEffect, BullyEvent, BullyMessage, BullyState, Step, Timings } from '../core/types.js';
import { Judge } from './judge.js';
import { VirtualTime, seeded } from './virtual-time.js';

export interface WorldOptions {
  readonly seed: number;
  readonly nodes: readonly string[];
  /** One-way delay of a message (ms). */
  readonly latencyMs?: readonly [number, number];
  readonly loss?: number;
  readonly duplicates?: number;
  /** Silence after which membership calls a node dead (ms). */
  readonly deadMs?: number;
  readonly timings?: Partial<Timings>;
  readonly step?: Step;
}

interface SimNode {
  readonly name: NodeId;
  life: number;
  state: BullyState;
  up: boolean;
  paused: boolean;
  inbox: { readonly event: BullyEvent; readonly life: number }[];
  splitter: { up: boolean; epoch: number };
}

/** Several nodes, a lossy bus between them and one store, on virtual time. What a test does to them is reproducible by seed. */
export class World {
  readonly time = new VirtualTime();
  readonly judge: Judge;
  readonly transcript: string[] = [];
  readonly store = { term: 0, holder: undefined as NodeId | undefined, away: false };
  readonly rng: () => number;
  /** Share of messages lost; a test may change it. */
  loss: number;
  readonly #nodes = new Map<string, SimNode>();
  readonly #cuts = new Set<string>();
  readonly #step: Step;
  readonly #timings: Timings;
  readonly #latency: readonly [number, number];

  constructor(readonly options: WorldOptions) {
    this.rng = seeded(options.seed);
    this.loss = options.loss ?? 0;
    this.#step = options.step ?? step;
    this.#timings = { ...defaultTimings, ...options.timings };
    this.#latency = options.latencyMs ?? [1, 4];
    this.judge = new Judge(`seed ${options.seed}`, this.time);
    for (const name of options.nodes) this.#nodes.set(name, this.#fresh(name as NodeId, 0));
  }

  #fresh(name: NodeId, life: number): SimNode {
    const config = { self: name, instance: `${name}${life}`, priorities: {}, timings: this.#timings };
    const state = initialState(config);
    return { name, life, state, up: false, paused: false, inbox: [], splitter: { up: true, epoch: life * 100 } };
  }

  /* ── what a test may do ───────────────────────────────────────────────────────────────────────── */

  say(text: string): void {
    this.transcript.push(`${String(this.time.now).padStart(6)} ${text}`);
  }
  startAll(): void {
    for (const name of this.#nodes.keys()) this.start(name);
  }
  start(name: string): void {
    const old = this.#node(name);
    if (old.up) return;
    const node = this.#fresh(old.name, old.life + 1);
    node.up = true;
    this.#nodes.set(name, node);
    this.say(`${name}: starts`);
    this.#feed(node, { kind: 'started' });
    for (const other of this.#nodes.values()) {
      if (other.up) this.#feed(node, { kind: 'memberAlive', node: other.name });
      if (other.up && other !== node) this.#feed(other, { kind: 'memberAlive', node: node.name });
    }
    this.#beatSplitter(node, node.life);
  }
  /** SIGKILL: nothing is said; membership notices later. */
  crash(name: string): void {
    const node = this.#node(name);
    if (!node.up) return;
    this.say(`${name}: is killed`);
    node.up = false;
    const { life } = node;
    this.time.after(this.options.deadMs ?? 5_000, () => {
      if (this.#node(name).life === life) this.#tellOthers(name, { kind: 'memberDead', node: node.name });
    });
  }
  stop(name: string): void {
    const node = this.#node(name);
    if (!node.up || node.paused) return;
    this.say(`${name}: is stopped`);
    this.#feed(node, { kind: 'stop' });
    node.up = false;
    this.#tellOthers(name, { kind: 'memberLeft', node: node.name });
  }
  pause(name: string): void {
    this.say(`${name}: is paused`);
    this.#node(name).paused = true;
  }
  resume(name: string): void {
    const node = this.#node(name);
    if (!node.paused) return;
    this.say(`${name}: wakes`);
    node.paused = false;
    const inbox = node.inbox.splice(0);
    // The worst order: its own timers before what others said meanwhile.
    inbox.sort((a, b) => Number(b.event.kind === 'timer') - Number(a.event.kind === 'timer'));
    for (const { event, life } of inbox) this.#deliver(node.name, life, event);
  }
  cut(a: string, b: string): void {
    this.#cuts.add(`${a}>${b}`).add(`${b}>${a}`);
  }
  cutOneWay(from: string, to: string): void {
    this.#cuts.add(`${from}>${to}`);
  }
  cutStore(name: string): void {
    this.#cuts.add(`${name}>store`);
  }
  healAll(): void {
    this.#cuts.clear();
    this.store.away = false;
    for (const name of this.#nodes.keys()) this.resume(name);
  }
  silenceSplitter(name: string): void {
    this.say(`${name}: its job-splitter falls silent`);
    this.#node(name).splitter.up = false;
  }
  restartSplitter(name: string): void {
    const { splitter } = this.#node(name);
    splitter.up = true;
    splitter.epoch += 1;
    this.say(`${name}: its job-splitter is a new instance`);
    this.hint(name, { kind: 'splitterBeat', epoch: `epoch-${splitter.epoch}` });
  }
  hint(name: string, event: BullyEvent): void {
    const node = this.#node(name);
    this.#deliver(node.name, node.life, event);
  }
  get names(): readonly string[] {
    return [...this.#nodes.keys()];
  }
  isUp(name: string): boolean {
    const node = this.#node(name);
    return node.up && !node.paused;
  }
  stateOf(name: string): BullyState {
    return this.#node(name).state;
  }
  /** Who leads in the view of each running node. */
  views(): (string | undefined)[] {
    const up = [...this.#nodes.values()].filter((node) => node.up && !node.paused);
    return up.map((node) => leaderOf(node.state, this.time.now).leader);
  }
  /** Nodes that lead by their own state and would act now. */
  acting(): string[] {
    const leads = (node: SimNode): boolean => node.up && !node.paused && node.state.tenure !== undefined;
    return [...this.#nodes.values()].filter(leads).map((node) => node.name);
  }

  /* ── how the world turns ──────────────────────────────────────────────────────────────────────── */

  #node(name: string): SimNode {
    const node = this.#nodes.get(name);
    if (node === undefined) throw new RangeError(`no node ${name}`);
    return node;
  }

  #tellOthers(name: string, event: BullyEvent): void {
    for (const other of this.#nodes.values()) if (other.name !== name && other.up) this.#feed(other, event);
  }

  #beatSplitter(node: SimNode, life: number): void {
    if (node.life !== life || !node.up) return;
    // Paused or not, its beats come; a pause of the process queues them.
    if (node.splitter.up)
      this.#deliver(node.name, life, { kind: 'splitterBeat', epoch: `epoch-${node.splitter.epoch}` });
    this.time.after(this.#timings.splitterBeatMs, () => this.#beatSplitter(node, life));
  }

  #deliver(name: NodeId, life: number, event: BullyEvent): void {
    const node = this.#node(name);
    if (!node.up || node.life !== life) return;
    if (node.paused) node.inbox.push({ event, life });
    else this.#feed(node, event);
  }

  #feed(node: SimNode, event: BullyEvent): void {
    const before = node.state;
    const { state, effects } = this.#step(before, event, this.time.now, this.rng);
    node.state = state;
    this.judge.stepped(node.name, before, state);
    for (const effect of effects) this.#perform(node, effect);
  }

  #perform(node: SimNode, effect: BullyEffect): void {
    const { name } = node;
    switch (effect.kind) {
      case 'sendElection':
        this.say(`${name}: Election to ${effect.to}`);
        return this.#send(name, effect.to, { kind: 'election', from: name, round: effect.round });
      case 'sendOk': {
        const { leader, round, to } = effect;
        this.say(`${name}: OK to ${to}${leader === undefined ? '' : ` (${leader.node} leads in term ${leader.term})`}`);
        return this.#send(name, to, { kind: 'ok', from: name, round, leader });
      }
      case 'announce':
        return this.#announce(node, effect);
      case 'claimTerm':
        this.say(`${name}: claims a term above ${effect.above}`);
        return this.#claim(node, effect.above);
      case 'renewTerm':
        return this.#renew(node, effect.term);
      case 'setTimer':
        return this.#setTimer(node, effect);
      case 'steppedUp':
        this.say(`${name}: leads in term ${effect.term}`);
        return this.judge.steppedUp(name, effect.term);
      case 'steppedDown':
        return this.say(`${name}: no longer leads in term ${effect.term} (${effect.why})`);
      case 'defect':
        return this.judge.defect(name, effect.message);
    }
  }

  #announce(node: SimNode, effect: Extract<BullyEffect, { kind: 'announce' }>): void {
    const { term, resigned } = effect;
    if (resigned) this.say(`${node.name}: Coordinator, term ${term} resigned`);
    else this.judge.acts(node.name, term);
    for (const to of this.#nodes.keys())
      this.#send(node.name, to, { kind: 'coordinator', leader: node.name, term, resigned });
  }

  #send(from: string, to: string, message: BullyMessage): void {
    if (from !== to && (this.#cuts.has(`${from}>${to}`) || this.rng() < (this.options.loss ?? 0))) return;
    const { life } = this.#node(to);
    const copies = this.rng() < (this.options.duplicates ?? 0) ? 2 : 1;
    for (let i = 0; i < copies; i += 1) {
      this.time.after(this.#delay(), () => this.#deliver(to as NodeId, life, { kind: 'message', message }));
    }
  }

  #delay(): number {
    const [min, max] = this.#latency;
    return min + Math.floor(this.rng() * (max - min + 1));
  }

  #setTimer(node: SimNode, effect: Extract<BullyEffect, { kind: 'setTimer' }>): void {
    const { life } = node;
    // Never cancelled: stale timers must be harmless.
    this.time.after(effect.afterMs, () => this.#deliver(node.name, life, { kind: 'timer', timer: effect.timer }));
  }

  /** The store answers after a while; the answer may be lost although the claim was granted. */
  #claim(node: SimNode, above: number): void {
    const startedAt = this.time.now;
    this.#ask(node, { kind: 'claimFailed', above }, () => {
      const granted = this.store.term === above;
      if (granted) {
        this.store.term += 1;
        this.store.holder = node.name;
        this.judge.granted(this.store.term, node.name);
      }
      const { term, holder: leader } = this.store;
      if (granted) this.judge.confirmed(node.name, term, startedAt);
      return { kind: 'termClaimed', above, granted, term, leader };
    });
  }

  #renew(node: SimNode, asked: number): void {
    const startedAt = this.time.now;
    this.#ask(node, { kind: 'renewFailed', asked }, () => {
      const { term, holder: leader } = this.store;
      const held = term === asked && leader === node.name;
      if (held) this.judge.confirmed(node.name, term, startedAt);
      return { kind: 'renewed', asked, held, term, leader };
    });
  }

  /** As `ServiceBus.call` does it: three tries of the same request, then a failure. A try whose answer is lost has happened all the same. */
  #ask(node: SimNode, failed: BullyEvent, act: () => BullyEvent, triesLeft = 3): void {
    const { name, life } = node;
    const again = (): void => {
      if (triesLeft > 1) this.#ask(node, failed, act, triesLeft - 1);
      else this.#deliver(name, life, failed);
    };
    this.time.after(this.#delay(), () => {
      const unreachable = this.store.away || this.#cuts.has(`${name}>store`);
      const answer = unreachable ? undefined : act();
      if (answer === undefined || this.rng() < this.loss) this.time.after(tryMs, again);
      else this.time.after(this.#delay(), () => this.#deliver(name, life, answer));
    });
  }
}

/** How long one try of a call to the store lasts (ms). */
const tryMs = 400;
