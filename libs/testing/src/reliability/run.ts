import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { JobView } from '@das/contracts';
import { partFaults, resultFaults } from './checks.js';
import { Eyes, type LeaderSeen } from './eyes.js';
import { type PerformedFault, type Recovery, lostWorkMs, recoveriesOf } from './figures.js';
import { follow } from './follower.js';
import { Injector } from './injector.js';
import { type KnownJob, type Shape, knownJob } from './job.js';
import { logsAround } from './logs.js';
import { type PlannedFault, described } from './plan.js';
import type { Leftovers, Stage, StageOptions } from './stage.js';
import { awaited, pause, within } from './waiting.js';

/** A job that has not ended after so many times its length and this allowance on top (ms) is stuck. */
const stuckTimes = 3;
const stuckMs = 60_000;
/** Its client, and agreement of all nodes, may take so long after it (ms). */
const afterwardsMs = 30_000;
const lookMs = 500;
/** No fault begins when so much of the job is committed: there would be nothing left to see. */
const lastFaultAt = 0.9;

export interface RunOptions extends StageOptions {
  readonly seconds: number;
  readonly shape: Shape;
  /** Which of the nodes that do not lead takes the job, in [0, 1). */
  readonly contact: number;
  readonly plan: readonly PlannedFault[];
  readonly leftovers: Leftovers;
  readonly note: (line: string) => void;
  /** Tells the logs around the faults of good runs as well. */
  readonly logs?: boolean;
}

export interface RunReport {
  readonly shape: Shape;
  readonly wallMs: number;
  readonly faults: readonly PerformedFault[];
  readonly recoveries: readonly Recovery[];
  readonly lostWorkMs: number;
  readonly terms: number;
  /** What must not be; empty for a good run. */
  readonly violations: readonly string[];
  /** Of the nodes, around the faults; for a good run only on request. */
  readonly logs: readonly string[];
}

/** Runs one job on a cluster, performs the planned faults on it, and checks what came out. The cluster is stopped afterwards. */
export async function performRun(stage: Stage, options: RunOptions): Promise<RunReport> {
  const run = new Run(stage, options);
  await run.play();
  const left = await stage.stop(options.leftovers);
  run.violations.push(...left);
  const moments = [...run.faults.map(({ at }) => at), run.brokenAt ?? Number.NaN];
  const quiet = run.violations.length === 0 && options.logs !== true;
  const logs = quiet ? [] : await logsAround(stage.cluster.home, moments);
  return { ...run.report(), logs };
}

class Run {
  readonly faults: PerformedFault[] = [];
  readonly violations: string[] = [];
  /** When something did not come back. */
  brokenAt: number | undefined;
  #wallMs = 0;
  #terms = 0;
  #lostWorkMs = 0;
  #recoveries: readonly Recovery[] = [];
  #job: JobView | undefined;
  readonly #known: KnownJob;
  readonly #eyes: Eyes;

  constructor(
    private readonly stage: Stage,
    private readonly options: RunOptions,
  ) {
    this.#known = knownJob(options.shape, options.seconds, options.nodes * options.slots);
    this.#eyes = new Eyes(stage.cluster);
  }

  report(): Omit<RunReport, 'logs'> {
    return {
      shape: this.options.shape,
      wallMs: this.#wallMs,
      faults: this.faults,
      recoveries: this.#recoveries,
      lostWorkMs: this.#lostWorkMs,
      terms: this.#terms,
      violations: this.violations,
    };
  }

  async play(): Promise<void> {
    const { cluster, env } = this.stage;
    const before = await this.#eyes.leader();
    const others = this.#names().filter((name) => name !== before.leader);
    const contact = others[Math.floor(this.options.contact * others.length)]!;
    const job = await this.#eyes.submit(contact, this.#known.submission);
    this.#job = job;
    const order = [...this.#names().filter((name) => name !== contact), contact];
    const follower = follow(cluster, job.id, order, env);
    this.stage.atEnd(() => follower.stop());
    try {
      const ended = this.#ended();
      await this.#disturb(new Injector(cluster, this.#eyes, contact, () => this.stage.struck));
      if (!(await ended)) return;
      await this.#checkResults();
      const followed = await within(follower.ended, afterwardsMs);
      if (followed === undefined) this.violations.push('`das results --follow` did not end');
      else if (followed.code !== 0)
        this.violations.push(`\`das results --follow\` exited with ${followed.code}: ${followed.said}`);
      else this.violations.push(...resultFaults('`das results --follow`', this.#known.expected, followed.out));
      await this.#checkCalm(before);
    } finally {
      follower.stop();
    }
  }

  #names(): string[] {
    return this.stage.cluster.nodes.map(({ name }) => String(name));
  }

  async #ended(): Promise<boolean> {
    const withinMs = this.options.seconds * 1_000 * stuckTimes + stuckMs;
    const look = async (): Promise<JobView | undefined> => {
      const job = await this.#eyes.view(this.#job!.id);
      this.#job = job;
      return job.finishedAt === undefined ? undefined : job;
    };
    const job = await awaited(look, withinMs, lookMs);
    if (job?.state === 'succeeded') return true;
    const { state, items, openParts, failure } = this.#job!;
    const where = `${items.committed} of ${items.total} items, ${openParts} open parts`;
    if (job === undefined) this.violations.push(`stuck: the job is ${state} after ${withinMs / 1000} s (${where})`);
    else this.violations.push(`the job is ${state}: ${JSON.stringify(failure)} (${where})`);
    return false;
  }

  /** Until the plan is done, the job nearly so, or something does not come back. */
  async #disturb(injector: Injector): Promise<void> {
    const nearly = this.#known.items * lastFaultAt;
    for (const planned of this.options.plan) {
      await pause(planned.afterMs);
      if (this.stage.struck) return;
      const { finishedAt, items, state } = this.#job!;
      if (finishedAt !== undefined || items.committed >= nearly || state === 'gathering') return;
      try {
        const fault = await injector.perform(planned);
        this.faults.push(fault);
        const took = `${((fault.healedAt - fault.at) / 1000).toFixed(1)} s`;
        const leader = fault.newLeaderMs === undefined ? '' : `; new leader after ${fault.newLeaderMs} ms`;
        this.options.note(`  ${fault.name} (${fault.hit}): over after ${took}${leader}`);
      } catch (thrown) {
        this.brokenAt = Date.now();
        this.violations.push(`${described(planned)}: ${thrown instanceof Error ? thrown.message : String(thrown)}`);
        return;
      }
    }
  }

  async #checkResults(): Promise<void> {
    const { id, wallMs, finishedAt, generation } = this.#job!;
    const endedAt = Date.parse(finishedAt!);
    this.#wallMs = wallMs ?? 0;
    if (generation !== 1) this.violations.push(`the job was started again: generation ${generation}`);
    const parts = await this.#eyes.parts(id);
    // Kept with the logs, when they are.
    await writeFile(join(this.stage.cluster.home, 'log', 'parts.json'), JSON.stringify(parts));
    this.violations.push(...partFaults(parts, this.#known.items));
    for (const node of this.#names()) {
      const got = await this.#eyes.results(node, id).catch((thrown: unknown) => String(thrown));
      this.violations.push(...resultFaults(`results of ${node}`, this.#known.expected, got));
    }
    this.#recoveries = recoveriesOf(this.faults, parts, endedAt);
    const { slots } = this.options;
    this.#lostWorkMs = lostWorkMs(this.faults, parts, { nodes: this.#names(), slots, endedAt });
  }

  /** After the last fault all nodes see all others alive, name the same leader, and nothing runs that belongs to nobody. */
  async #checkCalm(before: LeaderSeen): Promise<void> {
    const names = this.#names();
    let last = '';
    const agreed = async (): Promise<LeaderSeen | undefined> => {
      const seen = await Promise.all(names.map((name) => this.#eyes.leaderSeenBy(name)));
      const nodes = await Promise.all(names.map((name) => this.#eyes.nodesSeenBy(name)));
      const dead = nodes.flatMap((all, index) =>
        all.filter(({ state }) => state !== 'alive').map(({ name, state }) => `${names[index]} sees ${name} ${state}`),
      );
      last = [...new Set(seen.map(({ leader, term }) => `${leader ?? 'nobody'} leads in term ${term}`)), ...dead].join(
        ', ',
      );
      const same = seen.every(({ leader, term }) => leader === seen[0]!.leader && term === seen[0]!.term);
      const whole = nodes.every((all) => all.length === names.length);
      return same && whole && seen[0]!.leader !== undefined && dead.length === 0 ? seen[0] : undefined;
    };
    const seen = await awaited(agreed, afterwardsMs, lookMs);
    if (seen === undefined) this.violations.push(`no agreement ${afterwardsMs / 1000} s after the job: ${last}`);
    else this.#terms = seen.term - before.term;
    this.violations.push(...(await this.stage.orphans(this.options.leftovers)));
  }
}
