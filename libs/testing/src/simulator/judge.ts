import type { NodeId } from '@das/kernel';
import { partOpen } from '@das/jobs';
import type { MemoryData } from '@das/jobs/memory';
import { JobBook } from './job-book.js';
import type { Act, Ask } from './store.js';

/** A promise was broken: a defect, found by a seed. */
export class BrokenPromise extends Error {
  constructor(
    /** Which promise, in a few words: the same for every way in which it is broken. */
    readonly promise: string,
    text: string,
    /** All that was logged before. */
    readonly log: readonly string[],
  ) {
    super(text);
    this.name = 'BrokenPromise';
  }
}

/** Watches a run and fails it at once when a promise is broken. It trusts nothing that the nodes believe, and keeps its own books. */
export class Judge {
  readonly #holders = new Map<number, NodeId>();
  readonly #books = new Map<string, JobBook>();
  readonly #obeyed = new Map<string, number>();
  #term = 0;
  #found = { live: false };

  constructor(
    private readonly label: string,
    private readonly now: () => number,
    private readonly story: readonly string[],
    private readonly data: () => MemoryData,
  ) {}

  fail(promise: string, what: string): never {
    const text = `${this.label}, ${Math.round(this.now())} ms: ${promise}: ${what}`;
    throw new BrokenPromise(promise, text, this.story);
  }

  get term(): number {
    return this.#term;
  }
  get books(): ReadonlyMap<string, JobBook> {
    return this.#books;
  }
  forgetJob(job: string): void {
    this.#books.delete(job);
  }

  /** Before a commit: what it finds is kept, for the rules may change it. */
  judging({ attempt: { job: id, generation, part: name, attempt: number } }: Ask<'commitPart'>): void {
    const job = this.data().jobs.get(id);
    const part = job?.generation === generation ? job.parts.get(name) : undefined;
    const attempt = part?.attempts.find((a) => a.attempt === number);
    this.#found = { live: part !== undefined && partOpen(part) && attempt?.state === 'live' };
  }

  /** After each transaction of the store. */
  acted(act: Act): void {
    const { op } = act;
    if (op === 'claimTerm') return this.#claimed();
    if (this.data().term !== this.#term) this.fail('terms are granted by claims', `${op} changed the term`);
    if (op === 'saveActs' || op === 'advanceJob') this.#leaderActed(act as Act<'saveActs' | 'advanceJob'>);
    if (op === 'commitPart' && (act as Act<'commitPart'>).reply?.outcome === 'committed' && !this.#found.live)
      this.fail('only a live attempt commits', JSON.stringify((act as Act<'commitPart'>).request.attempt));
    for (const job of jobsOf(act)) this.#check(job, act);
  }

  /** A leader says that it leads. */
  leads(node: NodeId, term: number): void {
    const holder = this.#holders.get(term);
    if (holder !== node)
      this.fail('one leader per term', `${node} leads in term ${term}, granted to ${holder ?? 'nobody'}`);
  }

  /** An executor did what a leader of that term told it. Its disk outlives it. */
  obeyed(node: NodeId, term: number): void {
    const highest = this.#obeyed.get(node) ?? 0;
    if (term < highest)
      this.fail('no act of a lower term takes effect', `${node} obeyed term ${term} after term ${highest}`);
    if (!this.#holders.has(term)) this.fail('terms are granted by claims', `${node} obeyed term ${term}`);
    this.#obeyed.set(node, term);
  }

  #claimed(): void {
    const { term, leader } = this.data();
    if (term === this.#term) return;
    if (term !== this.#term + 1 || leader === undefined)
      this.fail('terms never fall', `the store granted ${term} after ${this.#term}`);
    this.#holders.set(term, leader);
    this.#term = term;
  }

  #leaderActed({ op, request, reply }: Act<'saveActs' | 'advanceJob'>): void {
    const { term, leader } = request.act;
    if (reply?.outcome !== 'saved' && reply?.outcome !== 'advanced') return;
    if (term !== this.#term)
      this.fail('no act of a lower term takes effect', `${op} of term ${term} took effect in term ${this.#term}`);
    if (this.#holders.get(term) !== leader)
      this.fail(
        'one leader per term',
        `${leader} acts in term ${term}, granted to ${this.#holders.get(term) ?? 'nobody'}`,
      );
  }

  #check(id: string, act: Act): void {
    const job = this.data().jobs.get(id as never);
    if (job === undefined) return;
    let book = this.#books.get(id);
    if (book === undefined) this.#books.set(id, (book = new JobBook(id, (promise, text) => this.fail(promise, text))));
    book.acted(job, act);
  }
}

/** The jobs that an act may have changed. */
function jobsOf({ op, request }: Act): Iterable<string> {
  switch (op) {
    case 'saveActs': {
      const { parts, cuts, attempts, ended } = request as Act<'saveActs'>['request'];
      return new Set([...parts, ...cuts, ...attempts, ...ended].map(({ job }) => job));
    }
    case 'createJob':
      return [(request as Act<'createJob'>['request']).spec.job];
    case 'commitPart':
    case 'restartSplit':
      return [(request as Act<'commitPart' | 'restartSplit'>['request']).attempt.job];
    case 'appendBlock':
    case 'sealJob':
    case 'cancelJob':
    case 'advanceJob':
      return [(request as Act<'sealJob'>['request']).job];
    default:
      return [];
  }
}
