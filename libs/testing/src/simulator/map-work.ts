import { MapRows, PairRows, crashOutcome, partOutcome, type ItemFailure } from '@das/execution';
import type { AttemptRun, Output, Work } from './attempt-run.js';
import { bucketOf, bytesOf, itemText, keyOf, linesOf, mapLine, pairLine, raisedFailure, textOf } from './script.js';

const crashed = { code: 'ITEM_CRASHED', message: 'the worker process was killed by SIGKILL' };

/** A worker at the items of a map part. */
export class MapWork implements Work {
  readonly #texts: string[] = [];
  #beganMs: number | undefined;

  constructor(private readonly run: AttemptRun) {}

  start(): void {
    const { spec, assignment } = this.run;
    if (spec.input.kind !== 'range') return this.#read(assignment.from);
    for (let item = assignment.from; item < assignment.to; item += 1)
      this.#texts.push(itemText(spec.input.from + item, false));
    this.#work();
  }

  progress(): number {
    if (this.#beganMs === undefined) return 0;
    const { assignment, plan, executor } = this.run;
    const done = Math.floor((executor.process.mono() - this.#beganMs) / plan.msPerItem);
    return Math.min(Math.max(done, 0), assignment.to - assignment.from);
  }

  /** At whatever item it is. */
  crash(): void {
    if (this.#beganMs === undefined) return;
    const { from, to } = this.run.assignment;
    this.#end(Math.min(from + this.progress(), to - 1));
  }

  #read(from: number): void {
    const { job, generation, to } = this.run.assignment;
    if (from >= to) return this.#work();
    this.run.ask('readItems', { job, generation, from, to }, ({ reply, raw }) => {
      if (reply.to <= from)
        return this.run.fails({ code: 'NOT_FOUND', message: `items ${from} to ${to - 1} are not stored` });
      this.#texts.push(...linesOf(textOf(raw)));
      this.#read(reply.to);
    });
  }

  #work(): void {
    const { assignment, plan } = this.run;
    const { from, to, tries } = assignment;
    this.#beganMs = this.run.executor.process.mono();
    let until = from;
    while (until < to && (plan.crashes.get(until) ?? 0) <= tries) until += 1;
    this.run.after((until - from) * plan.msPerItem, () => this.#end(until < to ? until : undefined));
  }

  /** The worker gave results up to `suspect`, at which it died; or of all. */
  #end(suspect: number | undefined): void {
    if (this.#beganMs === undefined) return;
    this.#beganMs = undefined;
    const { assignment } = this.run;
    const upTo = suspect ?? assignment.to;
    const { failures, output } = this.#results(upTo);
    const outcome =
      suspect === undefined
        ? partOutcome(assignment, upTo, failures)
        : crashOutcome(assignment, upTo, suspect, crashed, failures);
    this.run.worked({ outcome, output });
  }

  #results(upTo: number): { failures: ItemFailure[]; output: Output } {
    const { spec, plan, assignment } = this.run;
    const { from, tries } = assignment;
    const rows = spec.functions.reduce ? new PairRows(from) : new MapRows(from);
    const failures: ItemFailure[] = [];
    for (let item = from; item < upTo; item += 1) {
      const text = this.#texts[item - from] ?? '';
      if ((plan.raises.get(item) ?? 0) > tries) {
        failures.push(raisedFailure(item));
        rows.skip();
      } else if (rows instanceof MapRows) rows.add(1, bytesOf(`${mapLine(text)}\n`));
      else {
        const bucket = bucketOf(keyOf(text), spec.limits.buckets);
        rows.add(1, [{ bucket, lines: bytesOf(`${pairLine(text)}\n`) }]);
      }
    }
    return { failures, output: outputOf(rows.finish()) };
  }
}

/** Rows as a message carries them. */
export function outputOf(filled: ReturnType<MapRows['finish']>): Output {
  const raw = Buffer.concat(filled.flatMap(({ chunks }) => [...chunks]));
  return { rows: filled.map(({ row }) => row), raw };
}
