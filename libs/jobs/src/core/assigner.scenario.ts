import type { AttemptFinished, ExecutorBeat, HeldAttempt, JobCounts, JobRecord, JobSpec } from '@das/contracts';
import { jobId, nodeId, type NodeId } from '@das/kernel';
import { apply } from './assigner-events.js';
import { plan, type Plan } from './assigner-plan.js';
import { defaultAssignerConfig, takeOffice, type AssignerConfig, type AssignerState } from './assigner-state.js';

type Attempt = Plan['attempts'][number];
const noFunctions = { split: false, map: false, combine: false, reduce: false, gather: false, main: false };

/** A job record for specs: `items` of a range, `map` only, unless told otherwise. @internal */
export function jobRecord(
  id: string,
  items: number,
  overrides: Omit<Partial<JobRecord>, 'spec'> & { spec?: Partial<JobSpec> } = {},
): JobRecord {
  const { spec, ...record } = overrides;
  return {
    spec: {
      job: jobId(id),
      name: id,
      language: 'python',
      filename: 'job.py',
      // Of the text "x".
      code: '2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881',
      functions: { ...noFunctions, map: true },
      input: { kind: 'range', from: 0, to: items },
      params: {},
      limits: { timeoutMs: 10_000, retries: 2, tolerate: { items: 0 }, priority: 100, buckets: 4 },
      contact: nodeId('node-1'),
      network: false,
      ...spec,
    },
    state: 'running',
    generation: 1,
    sealed: true,
    items,
    cut: 0,
    createdAt: 0,
    ...record,
  };
}

/** Drives the assigner in specs: time moves when told, every plan is kept. @internal */
export class Scenario {
  readonly state: AssignerState;
  now = 10_000;
  plans: Plan[] = [];

  constructor(config: Partial<AssignerConfig> = {}) {
    this.state = takeOffice(1, nodeId('node-1'), { ...defaultAssignerConfig, ...config }, this.now);
  }

  load(
    record: JobRecord,
    counts: Partial<JobCounts> = {},
    parts: Extract<Parameters<typeof apply>[1], { kind: 'jobLoaded' }>['parts'] = [],
  ): Plan {
    return this.do({
      kind: 'jobLoaded',
      record,
      counts: { committed: 0, failed: 0, open: parts.length, ...counts },
      parts,
      bytesPerItem: 0,
    });
  }
  do(event: Parameters<typeof apply>[1]): Plan {
    apply(this.state, event, this.now);
    const planned = plan(this.state, this.now);
    this.plans.push(planned);
    return planned;
  }
  /** A beat that holds what `held` says; by default all the leader thinks the node has. */
  beat(node: string, slots: number, held?: HeldAttempt[]): Plan {
    const name = nodeId(node);
    return this.do({ kind: 'beat', beat: beatOf(name, slots, held ?? this.holdings(name)) });
  }
  holdings(node: NodeId): HeldAttempt[] {
    const live = [...(this.state.nodes.get(node)?.live.values() ?? [])];
    return live.map(({ ref }) => ({ ...ref, phase: 'running', items: 0, runningMs: 0 }));
  }
  finish(attempt: Attempt, overrides: Partial<AttemptFinished> = {}): Plan {
    const { node, ...ref } = attempt;
    const [from, to] = ref.part.split(':')[1]!.split('~')[0]!.split('-').map(Number) as [number, number];
    const kind = ref.part.split(':')[0] as AttemptFinished['kind'];
    const finished = {
      attempt: ref,
      kind,
      node,
      outcome: 'committed' as const,
      items: to - from,
      busyMs: to - from,
      children: [],
      failed: [],
      ...overrides,
    };
    return this.do({ kind: 'attemptFinished', finished });
  }
  after(ms: number): this {
    this.now += ms;
    return this;
  }
}

export function beatOf(node: NodeId, slots: number, held: HeldAttempt[]): ExecutorBeat {
  return { node, epoch: 'e1', slots, draining: false, held, rssBytes: 0, workers: slots };
}
