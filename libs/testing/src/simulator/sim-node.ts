import { SimClock, SimDisk } from '@das/election/sim';
import type { NodeId, Rng } from '@das/kernel';
import type { Cluster } from './cluster.js';
import { Election } from './elections.js';
import { Executor, drainMs } from './executor.js';
import { Machine } from './machine.js';
import { Members, goodbyeMs } from './members.js';
import { Splitter } from './splitter.js';

/** How often election asks membership for what its messages may have lost (ms). */
const membersPollMs = 5_000;
/** The own connection to the bus is noticed to be gone, or back, after up to this long (ms). */
const noticeMs = 200;
const slots = 2;

/** One node: a machine with its disk, and the services of its present life. */
export class SimNode {
  readonly machine: Machine;
  /** Outlives restarts: votes, and the highest term that the executor saw. */
  readonly disk: { readonly votes: SimDisk; highestTerm: number };
  members: Members | undefined;
  election: Election | undefined;
  splitter: Splitter | undefined;
  executor: Executor | undefined;
  stopping = false;
  #lives = 0;

  constructor(
    private readonly cluster: Cluster,
    readonly name: NodeId,
    no: number,
    rng: Rng,
  ) {
    const clock = new SimClock(1 + (rng() * 2 - 1) * 0.05, Math.floor(rng() * 1e6));
    this.machine = new Machine(name, no, clock, cluster.time, rng);
    this.disk = { votes: new SimDisk(rng), highestTerm: 0 };
  }

  get runs(): boolean {
    return this.machine.up && !this.machine.paused;
  }

  start(): void {
    if (this.machine.up) return;
    const { cluster, machine } = this;
    cluster.say(() => `${this.name}: starts`);
    this.stopping = false;
    machine.start();
    this.members = new Members(cluster, machine.spawn());
    this.#startElection();
    this.startSplitter();
    this.startExecutor();
    this.members.start();
  }

  #startElection(): void {
    const { cluster, machine } = this;
    const process = machine.spawn();
    this.#lives += 1;
    const instance = `${this.name}/${this.#lives}`;
    const election = new Election(cluster, process, cluster.strategy, this.disk.votes, instance, cluster.nextLife());
    this.election = election;
    election.start();
    process.every(membersPollMs, () => this.#readMembers());
    this.#readMembers();
  }

  #readMembers(): void {
    for (const name of this.members?.present ?? [])
      this.election?.handle({ kind: 'memberAlive', node: name as NodeId });
  }

  /** A new instance: whatever the one before had under way is its own. */
  startSplitter(): void {
    if (!this.machine.up) return;
    if (this.splitter !== undefined) this.machine.end(this.splitter.process);
    this.#lives += 1;
    this.splitter = new Splitter(this.cluster, this.machine.spawn(), `${this.name}/${this.#lives}`);
    this.splitter.start();
  }

  startExecutor(): void {
    if (!this.machine.up) return;
    const { cluster, machine } = this;
    if (this.executor !== undefined) machine.end(this.executor.process);
    this.#lives += 1;
    const kept = cluster.options.weaken.keptTerm?.(this.disk.highestTerm) ?? this.disk.highestTerm;
    this.executor = new Executor(cluster, machine.spawn(), slots, kept, `${this.name}/${this.#lives}`);
    this.executor.start();
  }

  /** SIGKILL, or the power. */
  crash(): void {
    if (!this.machine.up) return;
    this.cluster.say(() => `${this.name}: is killed`);
    this.machine.kill();
    this.disk.votes.crash();
    this.members = this.election = this.splitter = this.executor = undefined;
  }

  /** SIGTERM: says goodbye, gives back what waits, and ends; it is started again after a while. */
  stop(downMs: number): void {
    if (!this.runs || this.stopping) return;
    this.cluster.say(() => `${this.name}: is stopped`);
    this.stopping = true;
    this.election?.handle({ kind: 'stop' });
    this.splitter?.stop();
    this.executor?.drain();
    this.executor?.process.after(drainMs, () => {
      this.members?.leave();
      this.members?.process.after(goodbyeMs, () => {
        this.crash();
        this.cluster.time.after(downMs, () => this.start());
      });
    });
  }

  pause(): void {
    if (!this.runs) return;
    this.cluster.say(() => `${this.name}: stands still`);
    this.machine.pause();
  }
  resume(): void {
    if (!this.machine.paused) return;
    this.cluster.say(() => `${this.name}: wakes`);
    this.machine.resume();
  }

  /** Its connection to the bus is lost, or back. The client library notices a little later. */
  connect(up: boolean): void {
    if (this.machine.onBus === up) return;
    this.cluster.say(() => `${this.name}: ${up ? 'is on the bus again' : 'loses the bus'}`);
    this.machine.onBus = up;
    this.noticeBus();
  }

  noticeBus(): void {
    const { machine, cluster } = this;
    if (machine.onBus && !cluster.bus.away) machine.hearsSinceMs = cluster.time.now;
    cluster.time.after(cluster.rng() * noticeMs, () =>
      machine.hear(() => {
        const up = machine.onBus && !cluster.bus.away;
        this.election?.handle({ kind: up ? 'hearing' : 'deaf' });
        this.splitter?.connection(up);
      }),
    );
  }
}
