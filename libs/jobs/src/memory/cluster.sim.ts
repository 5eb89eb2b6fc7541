import type { Assignment, AttemptFinished, CommitReply, HeldAttempt, JobRecord, OutputRow } from '@das/contracts';
import { epochMs, nodeId, type Clock, type DurationMs, type NodeId } from '@das/kernel';
import { apply, type AssignerEvent } from '../core/assigner-events.js';
import { beatOf } from '../core/assigner.scenario.js';
import { mustSave, plan } from '../core/assigner-plan.js';
import { defaultAssignerConfig, takeOffice, type AssignerState } from '../core/assigner-state.js';
import { MemoryResultStore } from './memory-result-store.js';

/** What goes wrong when an attempt runs. */
export type Run = 'clean' | 'itemFails' | 'crashesHalfway' | 'answerLost' | 'commitRepeated';

/** A leader, executors and the store's twin in one process on virtual time; messages are lost and nodes die when told. @internal */
export class ClusterSim {
  now = 1_000;
  readonly store: MemoryResultStore;
  readonly names = ['node-1', 'node-2', 'node-3'].map((name) => nodeId(name));
  readonly held = new Map<NodeId, Map<string, Assignment>>(this.names.map((name) => [name, new Map()]));
  readonly alive = new Set<NodeId>(this.names);
  loseSends = false;
  /** What each node knows to have ended: sent again, it is told again and not run twice. */
  readonly #ended = new Map<NodeId, Map<string, AttemptFinished>>(this.names.map((name) => [name, new Map()]));
  #term = 0;
  #actSeq = 0;
  #leader: AssignerState | undefined;

  constructor(readonly record: JobRecord) {
    const clock = {
      now: () => epochMs(this.now),
      monotonic: () => this.now as DurationMs,
      timer: () => () => {},
      every: () => () => {},
    };
    this.store = new MemoryResultStore(clock satisfies Clock);
  }

  async start(): Promise<void> {
    const { spec, items } = this.record;
    await this.store.createJob({ spec, codeText: 'x', items }, new Uint8Array());
    await this.elect();
  }
  /** A new leader: knows nothing but what the store says. */
  async elect(): Promise<void> {
    const granted = await this.store.claimTerm({ node: this.names[0]!, above: this.#term });
    this.#term = granted.term;
    this.#leader = takeOffice(this.#term, this.names[0]!, defaultAssignerConfig, this.now);
    await this.load();
  }
  async load(): Promise<void> {
    const { job } = this.record.spec;
    const { jobs } = await this.store.loadJobs({ job });
    const { record, counts } = jobs[0]!;
    const { parts } = await this.store.loadParts({ job, generation: record.generation });
    await this.tell({ kind: 'jobLoaded', record, counts, parts, bytesPerItem: 0 });
  }
  async beats(): Promise<void> {
    this.now += 500;
    await this.tell({ kind: 'tick' });
    this.now += 500;
    await this.tell({ kind: 'tick' });
    for (const name of this.alive) {
      const held = [...this.held.get(name)!.values()].map(heldAttempt);
      await this.tell({ kind: 'beat', beat: beatOf(name, 2, held) });
    }
  }
  kill(name: NodeId): void {
    this.alive.delete(name);
    this.held.get(name)!.clear();
    this.#ended.get(name)!.clear();
  }
  /** Runs the oldest attempt the node holds. */
  async run(name: NodeId, how: Run): Promise<void> {
    const [key, assignment] = this.held.get(name)!.entries().next().value ?? [];
    if (key === undefined || assignment === undefined || !this.alive.has(name)) return;
    this.held.get(name)!.delete(key);
    const { request, raw } = outcome(assignment, name, how);
    const reply = await this.store.commitPart(request, raw);
    const again = how === 'commitRepeated' ? await this.store.commitPart(request, raw) : reply;
    const told = finished(assignment, name, again, request.done);
    this.#ended.get(name)!.set(key, told);
    if (how !== 'answerLost') await this.tell({ kind: 'attemptFinished', finished: told });
  }
  async tell(event: AssignerEvent): Promise<void> {
    apply(this.#leader!, event, this.now);
    await this.#perform();
  }

  async #perform(): Promise<void> {
    const state = this.#leader!;
    const planned = plan(state, this.now);
    const act = { term: this.#term, leader: state.leader, actSeq: (this.#actSeq += 1) };
    const { parts, cuts, attempts, ended } = planned;
    const stale = mustSave(planned) ? (await this.store.saveActs({ act, parts, cuts, attempts, ended })).stale : [];
    const sends = this.loseSends ? [] : planned.sends;
    const again = sends.flatMap(({ node, assignments }) => this.#deliver(node, assignments));
    for (const { job, generation, to, parts: steps, failure, failed } of planned.advances) {
      const reply = await this.store.advanceJob({ act, job, generation, to, parts: [...steps], failure, failed });
      if (reply.outcome === 'staleTerm') throw new Error('the term of this simulation is never stale');
      apply(state, { kind: 'advanced', job, outcome: reply.outcome, record: reply.job, parts: steps }, this.now);
    }
    if (stale.length > 0) apply(state, { kind: 'stale', jobs: stale }, this.now);
    if (planned.loads.length + stale.length > 0) await this.load();
    for (const told of again) await this.tell({ kind: 'attemptFinished', finished: told });
  }

  /** Ends that are told again because the leader sent what had ended. */
  #deliver(node: NodeId, assignments: readonly Assignment[]): AttemptFinished[] {
    if (!this.alive.has(node)) return [];
    const again: AttemptFinished[] = [];
    for (const assignment of assignments) {
      const key = `${assignment.part}/${assignment.attempt}`;
      const told = this.#ended.get(node)!.get(key);
      if (told === undefined) this.held.get(node)!.set(key, assignment);
      else again.push(told);
    }
    return again;
  }
}

const heldAttempt = ({ job, generation, part, attempt }: Assignment): HeldAttempt => ({
  job,
  generation,
  part,
  attempt,
  phase: 'queued',
  items: 0,
  runningMs: 0,
});

function outcome({ job, generation, part, attempt, from, to }: Assignment, node: NodeId, how: Run) {
  const middle = from + Math.floor((to - from) / 2);
  const broken = how === 'itemFails' || how === 'crashesHalfway';
  const done = broken ? [{ from, to: middle }] : [{ from, to }];
  if (how === 'itemFails') done.push({ from: middle + 1, to });
  const kept = done.filter((range) => range.from < range.to);
  const texts = kept.map((range) =>
    Array.from({ length: range.to - range.from }, (_, index) => `${range.from + index}\n`).join(''),
  );
  const rows = kept.map((range, index): OutputRow => ({
    kind: 'map',
    bucket: 0,
    ...range,
    seq: 0,
    bytes: texts[index]!.length,
  }));
  return {
    raw: new TextEncoder().encode(texts.join('')),
    request: {
      attempt: { job, generation, part, attempt },
      node,
      rows,
      done: kept,
      failures: broken ? [{ code: 'ITEM_RAISED', message: 'no', item: middle }] : [],
      unfinished: how === 'crashesHalfway' && middle + 1 < to ? [{ from: middle + 1, to }] : [],
      busyMs: to - from,
    },
  };
}

function finished(
  assignment: Assignment,
  node: NodeId,
  reply: CommitReply,
  done: readonly { from: number; to: number }[],
): AttemptFinished {
  const { job, generation, part, attempt, kind } = assignment;
  const items = done.reduce((sum, range) => sum + range.to - range.from, 0);
  return {
    attempt: { job, generation, part, attempt },
    kind,
    node,
    outcome: reply.outcome,
    items,
    busyMs: items,
    children: reply.children,
    failed: reply.failed,
  };
}
