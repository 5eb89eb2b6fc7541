import type { AttemptFinished, BodyOf, ExecutorBeat, MembershipCounted, NodeStatus, serviceLog } from '@das/contracts';
import type { NodeId } from '@das/kernel';
import { Counters, type Sample, metrics } from './metrics.js';
import { MembershipFigures } from './membership-figures.js';
import { NewestBeats } from './newest-beats.js';

/** What one telemetry service knows: the load of all nodes, and the metrics of its own. */
export class TelemetryView {
  readonly #beats = new NewestBeats();
  readonly #counters = new Counters();
  readonly #membership = new MembershipFigures();
  #term = 0;

  constructor(private readonly self: NodeId) {}

  beat(beat: ExecutorBeat, now: number): void {
    this.#beats.heard(beat, now);
  }

  finished({ node, outcome, kind, items, busyMs }: AttemptFinished): void {
    if (node !== this.self) return;
    this.#counters.add(metrics.finished, { node, outcome, kind }, 1);
    this.#counters.add(metrics.busy, { node, kind }, busyMs / 1_000);
    if (outcome === 'committed') this.#counters.add(metrics.items, { node, kind }, items);
  }

  logged({ node, service, level }: BodyOf<typeof serviceLog>): void {
    if (node === this.self) this.#counters.add(metrics.log, { node, service, level }, 1);
  }

  membership(counted: MembershipCounted): void {
    if (counted.node === this.self) this.#membership.heard(counted);
  }

  term(term: number): void {
    this.#term = Math.max(this.#term, term);
  }

  status(now: number): NodeStatus[] {
    return this.#beats.status(now);
  }

  samples(now: number): Sample[] {
    const node = this.self;
    const own = this.status(now).find((status) => status.node === node);
    const term = { metric: metrics.term, attributes: { node }, value: this.#term };
    return [
      ...(own === undefined ? [] : gauges(own)),
      term,
      ...this.#membership.samples(node),
      ...this.#counters.samples(),
    ];
  }
}

function gauges(status: NodeStatus): Sample[] {
  const { node, slots, running, queued, holding, workers, rssBytes: memory, hold } = status;
  const values = { slots, running, queued, holding, workers, memory, ...heldOf(hold) };
  return Object.entries(values).flatMap(([key, value]) =>
    value === undefined ? [] : [{ metric: metrics[key as keyof typeof values], attributes: { node }, value }],
  );
}

/** An executor of an earlier version does not tell. */
const heldOf = (hold: NodeStatus['hold']): { held: number; spooled: number; torn: number } | undefined =>
  hold && { held: hold.memoryBytes, spooled: hold.spooledBytes, torn: hold.torn };
