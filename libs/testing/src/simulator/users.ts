import { type NodeId } from '@das/kernel';
import { Client, type ClientOwner } from './client.js';
import type { Cluster } from './cluster.js';
import type { Machine, Process } from './machine.js';
import type { JobPlan } from './workload.js';

/** Of jobs that were swept, too: an assignment may still be on its way. */
const plansMax = 1_000;

/** Those who use the cluster, and what they submitted. */
export class Users implements ClientOwner {
  readonly clients: Client[] = [];
  readonly #plans = new Map<string, JobPlan>();

  constructor(private readonly cluster: Cluster) {}

  get store() {
    return this.cluster.store;
  }
  get rng() {
    return this.cluster.rng;
  }
  get names() {
    return this.cluster.names;
  }
  get forgetful(): boolean {
    return this.cluster.weaken.forgetfulClient === true;
  }

  submit(plan: JobPlan): Client {
    this.#plans.set(plan.spec.job, plan);
    const [oldest] = this.#plans.keys();
    if (this.#plans.size > plansMax && oldest !== undefined) this.#plans.delete(oldest);
    const client = new Client(this, plan);
    this.clients.push(client);
    this.cluster.time.at(plan.submitAtMs, () => client.start());
    return client;
  }
  planOf(job: string): JobPlan {
    const plan = this.#plans.get(job);
    if (plan === undefined) throw new RangeError(`no plan of ${job}`);
    return plan;
  }

  /** Jobs whose end was seen are swept after a while, as a run of a day needs it. */
  sweep(client: Client): void {
    const { job } = client.plan.spec;
    this.cluster.store.data.jobs.delete(job);
    this.cluster.judge.forgetJob(job);
    this.clients.splice(this.clients.indexOf(client), 1);
  }

  machine(name: NodeId): Machine {
    return this.cluster.node(name).machine;
  }
  frontOf({ name }: Machine): Process | undefined {
    return this.cluster.node(name).splitter?.process;
  }
  /** What users are told of an end is the end. */
  told({ plan, state }: Client): void {
    const { cluster } = this;
    const stored = cluster.store.data.jobs.get(plan.spec.job)?.state;
    if (stored !== state)
      cluster.judge.fail('no job is done before it is', `${plan.spec.job} is ${stored}, its user was told ${state}`);
  }
  at(ms: number, run: () => void): void {
    this.cluster.time.after(ms, run);
  }
  say(text: () => string): void {
    this.cluster.say(text);
  }
}
