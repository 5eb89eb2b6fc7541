/** One metric: `das.<area>.<what>`, as OpenTelemetry has it. */
export interface Metric {
  readonly name: `das.${string}.${string}`;
  readonly kind: 'gauge' | 'counter';
  /** UCUM. */
  readonly unit: string;
  readonly description: string;
}

/** All that this service measures. It counts what happens on its own node only, so that sums over nodes are right. */
export const metrics = {
  slots: {
    name: 'das.executor.slots',
    kind: 'gauge',
    unit: '{slot}',
    description: 'Attempts the node runs at a time.',
  },
  running: { name: 'das.executor.running', kind: 'gauge', unit: '{attempt}', description: 'Attempts that run.' },
  queued: {
    name: 'das.executor.queued',
    kind: 'gauge',
    unit: '{attempt}',
    description: 'Attempts that wait for a slot.',
  },
  holding: {
    name: 'das.executor.holding',
    kind: 'gauge',
    unit: '{attempt}',
    description: 'Attempts done and not yet committed.',
  },
  held: {
    name: 'das.executor.held',
    kind: 'gauge',
    unit: 'By',
    description: 'Output in memory that is not committed yet.',
  },
  spooled: {
    name: 'das.executor.spooled',
    kind: 'gauge',
    unit: 'By',
    description: 'Output on disk that waits for the store.',
  },
  torn: {
    name: 'das.executor.torn',
    kind: 'gauge',
    unit: '{file}',
    description: 'Files of output that could not be used, since the start of the executor.',
  },
  workers: { name: 'das.executor.workers', kind: 'gauge', unit: '{process}', description: 'Worker processes alive.' },
  memory: {
    name: 'das.executor.memory',
    kind: 'gauge',
    unit: 'By',
    description: 'Memory of the executor and its workers.',
  },
  term: { name: 'das.election.term', kind: 'gauge', unit: '1', description: 'Newest term heard of.' },
  members: {
    name: 'das.membership.members',
    kind: 'gauge',
    unit: '{member}',
    description: 'Members that the node knows, by their state.',
  },
  health: {
    name: 'das.membership.health',
    kind: 'gauge',
    unit: '1',
    description: "Health score of the node's gossip; 0 is healthy.",
  },
  notes: {
    name: 'das.membership.notes',
    kind: 'counter',
    unit: '{note}',
    description: 'What gossip noticed or dropped, by code.',
  },
  finished: {
    name: 'das.jobs.attempts.finished',
    kind: 'counter',
    unit: '{attempt}',
    description: 'Attempts ended, by outcome and kind of part.',
  },
  items: {
    name: 'das.jobs.items.done',
    kind: 'counter',
    unit: '{item}',
    description: 'Items done by committed attempts.',
  },
  busy: { name: 'das.jobs.attempts.busy', kind: 'counter', unit: 's', description: 'Time attempts kept a slot busy.' },
  log: {
    name: 'das.log.messages',
    kind: 'counter',
    unit: '{message}',
    description: 'Warnings and errors told by services, by level and service.',
  },
} as const satisfies Record<string, Metric>;
export type MetricKey = keyof typeof metrics;

export type Attributes = Readonly<Record<string, string>>;
export interface Sample {
  readonly metric: Metric;
  readonly attributes: Attributes;
  readonly value: number;
}

/** Label sets kept; kinds, outcomes and services are few, so more would be a defect. Further ones are not counted. */
export const seriesMax = 1_000;

/** Counters of one service. Mutable, for it is on the path of every finished attempt. */
export class Counters {
  readonly #series = new Map<string, { metric: Metric; attributes: Attributes; value: number }>();

  add(metric: Metric, attributes: Attributes, by: number): void {
    const key = `${metric.name} ${JSON.stringify(attributes)}`;
    const series = this.#series.get(key);
    if (series !== undefined) series.value += by;
    else if (this.#series.size < seriesMax) this.#series.set(key, { metric, attributes, value: by });
  }

  samples(): Sample[] {
    return [...this.#series.values()].map((series) => ({ ...series }));
  }
}
