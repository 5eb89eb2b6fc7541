import type { Assignment, AttemptFinished, ExecutorBeat, JobSpec } from '@das/contracts';
import type { ElectionEvent, ElectionStrategy } from '@das/election';
import { Links, SimKv, VirtualTime, seeded } from '@das/election/sim';
import { step as executorStep } from '@das/execution';
import { type OfficeEffect, type OfficeEvent, hearCoordinator, officeStep } from '@das/jobs';
import { type NodeId, type Rng, nodeId } from '@das/kernel';
import { type Announcer, announce, announcerOf } from './announcements.js';
import { Bus, store as storePlace } from './bus.js';
import type { Client } from './client.js';
import { type Coordinator, type ElectionsOwner, strategyOf } from './elections.js';
import type { Executor, ExecutorOwner } from './executor.js';
import { BrokenPromise, Judge } from './judge.js';
import type { Machine, Process } from './machine.js';
import type { MembersOwner } from './members.js';
import { brief } from './log-words.js';
import type { SimulationOptions } from './options.js';
import { SimNode } from './sim-node.js';
import type { Splitter, SplitterOwner } from './splitter.js';
import { type Act, type Ask, type OperationName, SimStore } from './store.js';
import { Users } from './users.js';
import { Watch } from './watch.js';
import type { CoordinatorStep, ExecutorStep, OfficeStep } from './weakening.js';
import type { JobPlan } from './workload.js';

/** One-way delay (ms), and the share of messages that take ten times as long or arrive twice, while it storms. */
const weather = { latencyMs: [1, 25], duplicates: 0.02, stragglers: 0.02 } as const;

/** A whole cluster in one process: nodes with all their services, one store, one bus, users; on virtual time and from one seed. */
export class Cluster implements MembersOwner, ElectionsOwner, SplitterOwner, ExecutorOwner {
  readonly time = new VirtualTime();
  readonly rng: Rng;
  readonly bus: Bus;
  readonly gossip: Links;
  readonly store: SimStore;
  readonly kv: SimKv;
  readonly judge: Judge;
  readonly watch: Watch;
  readonly strategy: ElectionStrategy;
  readonly names: readonly NodeId[];
  readonly machines = new Map<string, Machine>();
  readonly users: Users;
  readonly log: string[] = [];
  readonly officeStep: OfficeStep;
  readonly executorStep: ExecutorStep;
  readonly coordinatorStep: CoordinatorStep;
  readonly weaken;
  readonly #announcer: Announcer;
  readonly #nodes = new Map<string, SimNode>();
  #lives = 0;
  #runs = 0;

  constructor(readonly options: SimulationOptions) {
    const { seed, strategy, weaken, loss } = options;
    this.weaken = weaken;
    this.rng = seeded(seed);
    this.bus = new Bus(this.time, new Links(seeded(seed + 1e9), { ...weather, loss }), this.rng);
    this.gossip = new Links(seeded(seed + 2e9), { ...weather, loss });
    this.store = new SimStore(this, this.rng);
    this.judge = new Judge(
      `${strategy}, seed ${seed}`,
      () => this.time.now,
      this.log,
      () => this.store.data,
    );
    this.kv = new SimKv(
      this.time,
      this.bus.links,
      {},
      (asker, event) => this.#toLife(asker.name, asker.life, event),
      () => this.#bucketChanged(),
    );
    this.#announcer = announcerOf(this);
    this.watch = new Watch(this);
    this.users = new Users(this);
    const real = strategyOf(strategy);
    this.strategy = weaken.election?.(real) ?? real;
    this.officeStep = weaken.office?.(officeStep) ?? officeStep;
    this.coordinatorStep = weaken.coordinator?.(hearCoordinator) ?? hearCoordinator;
    this.executorStep = weaken.executor?.(executorStep) ?? executorStep;
    this.names = Array.from({ length: options.nodes }, (_, i) => nodeId(`n${i + 1}`));
    for (const [no, name] of this.names.entries()) this.#add(new SimNode(this, name, no, this.rng));
  }

  #add(node: SimNode): void {
    this.#nodes.set(node.name, node);
    this.machines.set(node.name, node.machine);
    this.bus.join(node.machine);
  }

  get nodes(): readonly SimNode[] {
    return [...this.#nodes.values()];
  }
  node(name: string): SimNode {
    const node = this.#nodes.get(name);
    if (node === undefined) throw new RangeError(`no node ${name}`);
    return node;
  }

  say(text: () => string): void {
    if (!this.options.trace) return;
    this.log.push(`${this.time.now.toFixed(1).padStart(9)} ${text()}`);
  }
  fail(text: string): never {
    return this.judge.fail('the cores keep their own rules', text);
  }
  at(ms: number, run: () => void): void {
    this.time.after(ms, run);
  }
  nextLife(): number {
    return (this.#lives += 1);
  }
  nextRun(): string {
    return `run-${(this.#runs += 1)}`;
  }

  /** A defect of a core that throws is a broken promise, too. */
  runUntil(end: number): void {
    try {
      this.time.runUntil(end);
    } catch (error) {
      if (error instanceof BrokenPromise) throw error;
      this.judge.fail('nothing throws', (error as Error).stack ?? String(error));
    }
  }

  submit(plan: JobPlan): Client {
    return this.users.submit(plan);
  }
  planOf({ job }: JobSpec): JobPlan {
    return this.users.planOf(job);
  }
  get clients(): readonly Client[] {
    return this.users.clients;
  }

  /* ── membership ───────────────────────────────────────────────────────────────────────────────── */

  membersOf({ name }: Machine) {
    return this.#nodes.get(name)?.members;
  }
  /** Told to the own node's services, over the bus as all else. */
  memberNews(machine: Machine, kind: 'memberAlive' | 'memberDead' | 'memberLeft', subject: NodeId): void {
    if (kind !== 'memberAlive')
      this.say(() => `${machine.name}: ${subject} is ${kind === 'memberDead' ? 'dead' : 'gone'}`);
    this.bus.tell(machine.name, [machine], () => {
      const node = this.node(machine.name);
      node.election?.handle({ kind, node: subject });
      if (kind !== 'memberAlive') node.splitter?.nodeLost(subject, 'membership says so');
    });
  }

  /* ── election ─────────────────────────────────────────────────────────────────────────────────── */

  announced(by: Process, message: Coordinator): void {
    if (!message.resigned) this.leads(by.name, message.term);
    this.bus.tell(by.name, this.machines.values(), ({ name }) => {
      const { election, splitter, executor } = this.node(name);
      const { leader, term, resigned, to } = message;
      election?.handle({ kind: 'message', message: { kind: 'coordinator', leader, term, resigned, to } });
      splitter?.coordinator({ ...message });
      executor?.heardTerm(term);
    });
  }
  leads(node: NodeId, term: number): void {
    this.judge.leads(node, term);
  }
  letter(from: NodeId, to: NodeId, event: ElectionEvent): void {
    const machine = this.machines.get(to);
    if (machine !== undefined) this.bus.tell(from, [machine], () => this.node(to).election?.handle(event));
  }
  #toLife(name: NodeId, life: number, event: ElectionEvent): void {
    const { election } = this.node(name);
    if (election?.life === life) election.process.deliver(() => election.handle(event));
  }
  #bucketChanged(): void {
    for (const { name } of this.nodes) {
      this.bus.carry(storePlace, name, () => {
        const { election } = this.node(name);
        election?.process.deliver(() => election.handle({ kind: 'kvChanged' }));
      });
    }
  }

  /* ── the leader's job-splitter ────────────────────────────────────────────────────────────────── */

  machine(name: NodeId): Machine | undefined {
    return this.machines.get(name);
  }
  executorOf({ name }: Machine): Executor | undefined {
    return this.#nodes.get(name)?.executor;
  }
  splitterBeat(machine: Machine, epoch: string): void {
    this.bus.tell(machine.name, [machine], () =>
      this.node(machine.name).election?.handle({ kind: 'splitterBeat', epoch }),
    );
  }
  decided({ process }: Splitter, event: OfficeEvent, effects: readonly OfficeEffect[]): void {
    if (effects.length === 0) return;
    this.watch.decided(process.machine, effects);
    this.say(
      () => `${process.name}: on ${event.kind}: ${effects.map((effect) => JSON.stringify(brief(effect))).join(' ')}`,
    );
  }

  finished({ process }: Executor, finished: AttemptFinished): void {
    this.say(
      () =>
        `${process.name}: ${finished.attempt.job} ${finished.attempt.part}/${finished.attempt.attempt} ${finished.outcome}`,
    );
    this.#toOffices(process, (splitter) => splitter.finished(finished));
  }
  beat({ process }: Executor, beat: ExecutorBeat): void {
    this.#toOffices(process, (splitter) => splitter.beat(beat));
  }
  obeyed({ process }: Executor, term: number, assignments: readonly Assignment[]): void {
    this.judge.obeyed(process.name, term);
    this.watch.sent(process, assignments);
  }
  started({ process }: Executor, attempt: string): void {
    this.watch.started(process, attempt);
  }
  keepTerm({ process }: Executor, term: number): void {
    this.node(process.name).disk.highestTerm = term;
  }
  /** Everyone hears it; whoever has no office when it is sent has nothing to do with it. */
  #toOffices(from: Process, act: (splitter: Splitter) => void): void {
    const offices = this.nodes.filter(({ splitter }) => splitter?.office !== undefined).map(({ machine }) => machine);
    this.bus.tell(from.name, offices, ({ name }) => {
      const { splitter } = this.node(name);
      if (splitter !== undefined) act(splitter);
    });
  }

  /* ── the store ────────────────────────────────────────────────────────────────────────────────── */

  acting(op: OperationName, request: unknown): void {
    if (op === 'commitPart') this.judge.judging(request as Ask<'commitPart'>);
  }
  acted(act: Act): void {
    this.judge.acted(act);
    if (this.options.trace)
      this.say(() => `store: ${act.op} of ${act.from}: ${JSON.stringify(act.request)} → ${JSON.stringify(act.reply)}`);
    announce(act, this.store.data, this.#announcer);
  }
  refused(op: OperationName, from: string, why: string): void {
    this.judge.fail('no request of ours is invalid', `${op} of ${from}: ${why}`);
  }
}
