import type { OutputKind } from '@das/contracts';
import { StepRows, partOutcome } from '@das/execution';
import { type AttemptRun, type Work, noOutput } from './attempt-run.js';
import { outputOf } from './map-work.js';
import { bytesOf, gatherLine, linesOf, mainLines, mergeLines, reduceLines, textOf } from './script.js';

/** How long a step runs (items of its script). */
const stepItems = 4;

/** A worker at a step: `reduce` of a bucket, `gather`, `main`, or a hook, which gives nothing. */
export class StepWork implements Work {
  #over = false;
  readonly #lines: string[] = [];

  constructor(private readonly run: AttemptRun) {}

  start(): void {
    const { spec, assignment } = this.run;
    if (assignment.kind === 'main' || assignment.kind === 'hook') return this.#work();
    if (assignment.kind === 'reduce') return this.#read('shuffle', assignment.from, undefined);
    this.#read(spec.functions.reduce ? 'reduce' : 'map', 0, undefined);
  }
  progress(): number {
    return 0;
  }
  crash(): void {
    if (this.#over) return;
    this.#over = true;
    const { kind, from } = this.run.assignment;
    const failure = { code: 'ITEM_CRASHED', message: `${kind}: the worker process was killed by SIGKILL`, item: from };
    this.run.worked({ outcome: { done: [], failures: [failure], unfinished: [] }, output: noOutput });
  }

  /** Committed output, page by page. */
  #read(kind: OutputKind, bucket: number, after: { from: number; seq: number } | undefined): void {
    const { job, generation } = this.run.assignment;
    const request = { job, kind, bucket, skipFailed: true, ...(after === undefined ? {} : { after }) };
    this.run.ask('readOutput', request, ({ reply, raw }) => {
      if (reply.generation !== generation)
        return this.run.fails({ code: 'NOT_FOUND', message: `generation ${generation} of the job is over` });
      this.#lines.push(...linesOf(textOf(raw)));
      const last = reply.rows.at(-1);
      if (reply.more && last !== undefined) return this.#read(kind, bucket, { from: last.from, seq: last.seq });
      this.#work();
    });
  }

  #work(): void {
    this.run.after(stepItems * this.run.plan.msPerItem, () => {
      if (this.#over) return;
      this.#over = true;
      const { kind, from, to } = this.run.assignment;
      const rows = new StepRows(kind === 'reduce' || kind === 'gather' ? kind : 'main', from);
      for (const line of this.#result()) rows.add(bytesOf(`${line}\n`));
      this.run.worked({ outcome: partOutcome({ from, to }, to), output: outputOf(rows.finish()) });
    });
  }

  #result(): string[] {
    const { spec, assignment } = this.run;
    if (assignment.kind === 'hook') return [];
    if (assignment.kind === 'main') return mainLines(spec);
    if (assignment.kind === 'reduce') return reduceLines(this.#lines);
    // Without a `gather` of the script the sorted buckets become one.
    return spec.functions.gather ? this.#lines.map(gatherLine) : mergeLines(this.#lines);
  }
}
