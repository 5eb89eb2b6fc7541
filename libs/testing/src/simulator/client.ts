import { Fault, type JobState } from '@das/contracts';
import { type Known, inOrder, jobEnded, resultKind } from '@das/jobs';
import type { NodeId, Rng } from '@das/kernel';
import type { Machine, Process } from './machine.js';
import { blocksOf, textOf } from './script.js';
import type { Answer, Ask, OperationName, Outcome, Reply, SimStore } from './store.js';
import { type JobPlan, codeText } from './workload.js';

export interface ClientOwner {
  readonly store: SimStore;
  readonly rng: Rng;
  readonly names: readonly NodeId[];
  readonly forgetful: boolean;
  machine(name: NodeId): Machine;
  /** What runs the front door of a machine. */
  frontOf(machine: Machine): Process | undefined;
  told(client: Client, state: JobState): void;
  at(ms: number, run: () => void): void;
  say(text: () => string): void;
}

/** A request to a node is given up after this long, and another node asked (ms). */
const patienceMs = 3_000;
const againMs = 250;
const followMs = 700;

/** A user: submits one job to some node, follows its results, and asks another node whenever one does not answer. */
export class Client {
  /** What the user was told of the end. */
  state: JobState | undefined;
  text = '';
  #generation = 1;
  #known: Omit<Known, 'bytes'> = { last: undefined, reach: 0 };
  #contact: number;
  cancelling = false;

  constructor(
    private readonly owner: ClientOwner,
    readonly plan: JobPlan,
  ) {
    this.#contact = owner.names.indexOf(plan.spec.contact);
  }

  start(): void {
    this.owner.say(() => `user: submits ${this.plan.spec.job} (${this.plan.items} items)`);
    this.#create();
    if (this.plan.cancelAfterMs !== undefined) this.owner.at(this.plan.cancelAfterMs, () => this.#cancel());
  }

  /** The same id, whoever is asked. */
  #create(): void {
    const { spec, items } = this.plan;
    const uploads = spec.input.kind === 'blocks';
    const request = { spec, codeText, ...(uploads || spec.input.kind === 'split' ? {} : { items }) };
    this.#ask('createJob', request, ({ reply }) => {
      if (!uploads) return this.#follow();
      if (reply.job.state === 'submitted') this.#upload(0);
      else this.#follow();
    });
  }

  #upload(no: number): void {
    const { job } = this.plan.spec;
    const block = blocksOf(this.plan, false)[no];
    if (block === undefined) {
      const request = { job, generation: 1, items: this.plan.items };
      return this.#ask('sealJob', request, () => this.#follow());
    }
    const request = { job, generation: 1, block: block.head };
    this.#ask('appendBlock', request, () => this.#upload(no + 1), block.raw);
  }

  #cancel(): void {
    if (this.state !== undefined) return;
    this.cancelling = true;
    this.#ask('cancelJob', { job: this.plan.spec.job, why: 'cancelled by its owner' }, ({ reply }) => {
      if (reply.outcome === 'unknown') this.owner.at(againMs, () => this.#cancel());
    });
  }

  /** Rows as soon as all before them are committed; the same bytes from any node. */
  #follow(): void {
    const { spec } = this.plan;
    const kind = resultKind(spec.functions);
    const { last: after, reach } = this.#known;
    const request = {
      job: spec.job,
      kind,
      bucket: 0,
      skipFailed: false,
      contiguousFrom: reach,
      ...(after && { after }),
    };
    this.#ask('readOutput', request, ({ reply, raw }) => {
      if (this.state !== undefined) return;
      if (reply.generation !== this.#generation) {
        this.#forget();
        this.#generation = reply.generation;
        return this.#follow();
      }
      const known = inOrder(reply.rows, this.#known, kind === 'map');
      this.#known = known;
      this.text += textOf(raw.subarray(0, known.bytes));
      if (known.bytes > 0) return this.#follow();
      if (jobEnded(reply.state)) return this.#ended(reply.state);
      this.owner.at(followMs, () => this.#follow());
    });
  }

  #forget(): void {
    this.text = '';
    this.#known = { last: undefined, reach: 0 };
  }

  #ended(state: JobState): void {
    this.owner.say(() => `user: ${this.plan.spec.job} ${state}`);
    this.state = state;
    this.owner.told(this, state);
  }

  /** Asks a node to ask the store, and the next node when it does not answer in time. */
  #ask<K extends OperationName>(
    op: K,
    request: Ask<K>,
    done: (answer: Answer<Reply<K>>) => void,
    raw?: Uint8Array,
  ): void {
    const { owner } = this;
    const machine = owner.machine(owner.names[this.#contact] as NodeId);
    let settled = false;
    const again = (): void => {
      if (settled) return;
      settled = true;
      this.#contact = Math.floor(owner.rng() * owner.names.length);
      if (owner.forgetful) this.#known = { last: undefined, reach: 0 };
      owner.at(againMs, () => this.#ask(op, request, done, raw));
    };
    const answered = (outcome: Outcome<K>): void => {
      if (settled) return;
      if (outcome === undefined) return again();
      if (outcome instanceof Fault) {
        // Not there yet: the request that made it was lost on its way.
        if (outcome.code === 'JOB_NOT_FOUND') return again();
        throw outcome;
      }
      settled = true;
      done(outcome);
    };
    owner.at(patienceMs, again);
    machine.hear(() => {
      const front = owner.frontOf(machine);
      if (front !== undefined) owner.store.ask(front, op, request, answered, raw === undefined ? {} : { raw });
    });
  }
}
