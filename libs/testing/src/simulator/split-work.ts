import type { BlockHead } from '@das/contracts';
import { partOutcome } from '@das/execution';
import { type AttemptRun, type Work, noOutput } from './attempt-run.js';
import { blocksOf } from './script.js';

/** A worker that yields items: it skips the blocks that an earlier attempt stored, if they are the same, and goes on after them. */
export class SplitWork implements Work {
  #dead = false;
  readonly #fickle: boolean;
  readonly #blocks: ReturnType<typeof blocksOf>;

  constructor(private readonly run: AttemptRun) {
    const { plan, assignment } = run;
    this.#fickle = assignment.generation === 1 && assignment.tries < plan.fickleTries;
    this.#blocks = blocksOf(plan, this.#fickle);
  }

  start(): void {
    this.#stored(-1, []);
  }
  progress(): number {
    return 0;
  }
  crash(): void {
    if (this.#dead) return;
    this.#dead = true;
    const { from } = this.run.assignment;
    const failure = { code: 'ITEM_CRASHED', message: 'split: the worker process was killed by SIGKILL', item: from };
    this.run.worked({ outcome: { done: [], failures: [failure], unfinished: [] }, output: noOutput });
  }

  #stored(after: number, before: readonly BlockHead[]): void {
    const { job, generation } = this.run.assignment;
    this.run.ask('listBlocks', { job, generation, after }, ({ reply }) => {
      const stored = [...before, ...reply.blocks];
      const last = reply.blocks.at(-1);
      if (reply.more && last !== undefined) return this.#stored(last.no, stored);
      const differs = stored.some(({ no, digest }) => this.#blocks[no]?.head.digest !== digest);
      if (differs && !this.#dead) return this.#restart('its items differ from those that an earlier attempt yielded');
      this.#yield(stored.length);
    });
  }

  #yield(no: number): void {
    const { plan } = this.run;
    const block = this.#blocks[no];
    const items = block === undefined ? 1 : block.head.to - block.head.from;
    this.run.after(items * plan.msPerItem * 0.2, () => {
      if (this.#dead) return;
      if (this.#fickle && no > this.run.assignment.tries) return this.crash();
      if (block === undefined) this.#done();
      else this.#append(no, block);
    });
  }

  #append(no: number, { head, raw }: ReturnType<typeof blocksOf>[number]): void {
    const { job, generation } = this.run.assignment;
    const request = { job, generation, block: head, attempt: this.run.ref() };
    this.run.ask(
      'appendBlock',
      request,
      ({ reply }) => {
        if (this.#dead) return;
        if (reply.outcome === 'different') return this.#restart(`block ${no} differs`);
        if (reply.outcome === 'staleAttempt' || reply.outcome === 'jobEnded') return this.run.givesBack(reply.outcome);
        this.#yield(no + 1);
      },
      raw,
    );
  }

  #done(): void {
    this.#dead = true;
    const items = this.#blocks.at(-1)?.head.to ?? 0;
    this.run.worked({ outcome: partOutcome({ from: 0, to: 1 }, 1), output: noOutput, sealed: { items } });
  }

  #restart(why: string): void {
    this.#dead = true;
    this.run.ask('restartSplit', { attempt: this.run.ref(), why }, ({ reply }) =>
      this.run.givesBack(reply.outcome === 'jobEnded' ? 'jobEnded' : 'staleAttempt'),
    );
  }
}
