import { seeded } from '@das/election/sim';
import { unlessAborted } from '@das/platform/basics';
import type { KnownJob, Shape } from './job.js';
import { shapeOf } from './job.js';
import { type Pace, described, planFaults } from './plan.js';
import { type RunReport, performRun } from './run.js';
import { type Leftovers, Stage, type StageOptions } from './stage.js';
import { keepLogs } from './logs.js';

/** A run without faults is repeated after so many with faults: machines drift. */
const baselineEvery = 10;
/** A fault, its end and what follows take at least so long (ms): a plan is never too short for its job. */
const faultMs = 3_000;

export interface SessionOptions extends Omit<StageOptions, 'signal'> {
  /** Of the first run; each next run has the next one. */
  readonly seed: number;
  readonly runs: number;
  /** How long the job lasts without faults. */
  readonly seconds: number;
  readonly pace: Pace;
  /** At most so many faults a run. @default as many as the job has time for */
  readonly faultsMax?: number;
  /** Whether a run without faults is made to compare with. */
  readonly baseline: boolean;
  /** Where the logs of a run that violated something are kept, in a folder named by its seed. */
  readonly keep: string;
  readonly leftovers: Leftovers;
  readonly note: (line: string) => void;
  /** Tells and keeps the logs of good runs as well. */
  readonly logs?: boolean;
  readonly signal?: AbortSignal;
}

export interface SeededRun extends RunReport {
  readonly seed: number;
  /** Of the newest run of the same shape without faults (ms). */
  readonly baselineMs?: number;
}

/** Runs with random faults, one after the other, each on a cluster of its own; tells each as it ends. */
export async function performRuns(options: SessionOptions): Promise<SeededRun[]> {
  const runs: SeededRun[] = [];
  const baselines = new Map<KnownJob['shape'], number>();
  for (let index = 0; index < options.runs; index += 1) {
    if (index % baselineEvery === 0) baselines.clear();
    const seed = options.seed + index;
    const rng = seeded(seed);
    const [shape, contact] = [shapeOf(rng), rng()];
    if (options.baseline && !baselines.has(shape)) baselines.set(shape, await baseline(options, shape, contact));
    const baselineMs = baselines.get(shape);
    const run = await one(options, seed, shape, contact);
    runs.push({ seed, ...run, ...(baselineMs === undefined ? {} : { baselineMs }) });
  }
  return runs;
}

async function baseline(options: SessionOptions, shape: Shape, contact: number): Promise<number> {
  const stage = await Stage.set(options);
  try {
    const run = await unlessAborted(
      options.signal,
      performRun(stage, { ...options, shape, contact, plan: [] }),
      interrupted,
    );
    for (const violation of run.violations) throw new Error(`without any fault: ${violation}`);
    options.note(`without faults (${shape}): ${(run.wallMs / 1000).toFixed(1)} s`);
    return run.wallMs;
  } finally {
    await stage.strike();
  }
}

async function one(options: SessionOptions, seed: number, shape: Shape, contact: number): Promise<RunReport> {
  const { processes, pace, seconds, note } = options;
  const count = options.faultsMax ?? Math.ceil((seconds * 1_000) / faultMs);
  const plan = planFaults({ seed, processes, count, pace });
  note(`seed ${seed} (${shape}, ${options.nodes} nodes, ${processes}, ${options.strategy}):`);
  for (const planned of plan) note(`  plan: ${described(planned)}`);
  const stage = await Stage.set(options);
  try {
    const run = await unlessAborted(
      options.signal,
      performRun(stage, { ...options, shape, contact, plan }),
      interrupted,
    );
    if (run.logs.length > 0) await keepLogs(stage.cluster.home, `${options.keep}/${seed}`);
    tell(run, seed, options);
    return run;
  } finally {
    await stage.strike();
  }
}

function tell(run: RunReport, seed: number, { note, keep }: SessionOptions): void {
  const good = run.violations.length === 0;
  note(`  seed ${seed}: ${good ? 'ok' : 'VIOLATED'}, ${run.faults.length} faults, ${(run.wallMs / 1000).toFixed(1)} s`);
  for (const violation of run.violations) note(`  ✗ ${violation}`);
  for (const line of run.logs) note(`    ${line}`);
  if (run.logs.length > 0) note(`  all logs are kept in ${keep}/${seed}`);
}

const interrupted = (): Error => new Error('interrupted');
