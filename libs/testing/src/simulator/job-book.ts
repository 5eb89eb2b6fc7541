import type { JobState } from '@das/contracts';
import { type StoredPart, jobEnded, partOpen } from '@das/jobs';
import type { MemoryJob } from '@das/jobs/memory';
import type { Act } from './store.js';

const enum Item {
  open,
  committed,
  failed,
}

/** What the judge itself knows of a job, from the requests that were accepted; compared with what the store has after each. */
export class JobBook {
  #generation = 0;
  #state: JobState = 'submitted';
  #cut = 0;
  #stored = 0;
  #items: Item[] = [];
  readonly #steps = new Set<string>();
  /** Attempts that committed, by name. */
  readonly #committed = new Set<string>();

  constructor(
    private readonly job: string,
    private readonly fail: (promise: string, text: string) => never,
  ) {}

  get state(): JobState {
    return this.#state;
  }
  get ended(): boolean {
    return jobEnded(this.#state);
  }

  acted(job: MemoryJob, act: Act): void {
    this.#life(job);
    if (act.op === 'commitPart') this.#commit(job, act as Act<'commitPart'>);
    this.#parts(job);
    this.#moved(job);
  }

  /** One life of the items after the other; nothing of an ended job changes. */
  #life(job: MemoryJob): void {
    if (job.generation < this.#generation)
      this.fail('generations never fall', `${this.job} fell from ${this.#generation} to ${job.generation}`);
    if (job.generation > this.#generation) {
      if (this.ended) this.fail('an ended job stays as it is', `${this.job} began again`);
      this.#generation = job.generation;
      this.#cut = 0;
      this.#stored = 0;
      this.#items = [];
      this.#steps.clear();
      this.#committed.clear();
    }
    if (job.cut < this.#cut || job.items < this.#stored)
      this.fail('what is cut and stored never shrinks', `${this.job}: ${job.cut} of ${job.items} items are cut`);
    this.#cut = job.cut;
    this.#stored = job.items;
  }

  #commit(job: MemoryJob, { request, reply }: Act<'commitPart'>): void {
    const { part, attempt, generation } = request.attempt;
    const name = `${part}/${attempt}`;
    if (reply?.outcome === 'alreadyCommitted' && generation === this.#generation && !this.#committed.has(name))
      this.fail('a commit is confirmed only if it happened', `${this.job} ${name}`);
    if (reply?.outcome !== 'committed' && reply?.outcome !== 'alreadyCommitted' && this.#committed.has(name)) {
      if (generation === this.#generation)
        this.fail(
          'a commit is confirmed when it is asked again',
          `${this.job} ${name} is ${reply?.outcome ?? 'unknown'}`,
        );
    }
    if (reply?.outcome !== 'committed') return;
    if (generation !== this.#generation)
      this.fail('no commit of an earlier generation counts', `${this.job} ${name} of generation ${generation}`);
    if (this.ended) this.fail('an ended job stays as it is', `${this.job} ${name} was committed`);
    if (this.#committed.has(name)) this.fail('each item is committed exactly once', `${this.job} ${name}, twice`);
    this.#committed.add(name);
    if (request.fatal !== undefined) return;
    if (part.startsWith('map:')) this.#mark(request, job);
    else if (request.done.length > 0) this.#step(part);
  }

  #mark({ attempt, done, failures }: Act<'commitPart'>['request'], { spec }: MemoryJob): void {
    const tries = Number(/~(\d+)$/.exec(attempt.part)?.[1] ?? 0);
    for (const { from, to } of done) for (let item = from; item < to; item += 1) this.#set(item, Item.committed);
    if (tries < spec.limits.retries) return;
    for (const { item } of failures) this.#set(item, Item.failed);
  }

  #set(item: number, to: Item): void {
    if ((this.#items[item] ?? Item.open) !== Item.open)
      this.fail('each item is committed exactly once', `${this.job} item ${item} has a second result`);
    this.#items[item] = to;
  }

  #step(part: string): void {
    const name = part.replace(/~\d+$/, '');
    if (this.#steps.has(name))
      this.fail('each item is committed exactly once', `${this.job} ${name} has a second result`);
    this.#steps.add(name);
  }

  /** Map parts partition [0, cut), and say of every item what the book says. */
  #parts(job: MemoryJob): void {
    const maps = new Map<number, StoredPart>();
    for (const part of job.parts.values()) {
      if (part.attempts.filter(({ state }) => state === 'committed').length > 1)
        this.fail('each item is committed exactly once', `${this.job} ${part.part} by two attempts`);
      if (part.kind !== 'map' || part.state === 'replaced') continue;
      if (maps.has(part.from))
        this.fail('parts partition the cut range', `${this.job}: two parts begin at ${part.from}`);
      maps.set(part.from, part);
    }
    let at = 0;
    for (let part = maps.get(0); part !== undefined; part = maps.get(at)) {
      this.#agree(part);
      at = part.to;
      maps.delete(part.from);
      if (part.to <= part.from) break;
    }
    if (at !== job.cut || maps.size > 0)
      this.fail(
        'parts partition the cut range',
        `${this.job}: parts reach ${at} of ${job.cut}, ${maps.size} lie apart`,
      );
  }

  #agree(part: StoredPart): void {
    if (part.fatal === true) return;
    const expected = part.state === 'committed' ? Item.committed : part.state === 'failed' ? Item.failed : Item.open;
    for (let item = part.from; item < part.to; item += 1) {
      if ((this.#items[item] ?? Item.open) !== expected)
        this.fail(
          'what is committed stays committed',
          `${this.job} item ${item}: its part ${part.part} is ${part.state}`,
        );
    }
  }

  #moved(job: MemoryJob): void {
    if (job.state === this.#state) return;
    if (this.ended) this.fail('an ended job stays as it is', `${this.job}: ${this.#state}, then ${job.state}`);
    this.#state = job.state;
    if (job.state === 'succeeded') this.#complete(job);
    if (this.ended && [...job.parts.values()].some(partOpen))
      this.fail('no job ends with open parts', `${this.job} ${job.state}`);
  }

  #complete({ spec, sealed, items, failure }: MemoryJob): void {
    const lacks = (what: string): never => this.fail('no job is done before it is', `${this.job}: ${what}`);
    if (!sealed) lacks('its input is not complete');
    if (failure !== undefined) lacks('it failed');
    for (let item = 0; item < items; item += 1)
      if ((this.#items[item] ?? Item.open) === Item.open) lacks(`item ${item} has no result`);
    const { reduce, gather, main } = spec.functions;
    const steps = reduce ? Array.from({ length: spec.limits.buckets }, (_, b) => `reduce:${b}-${b + 1}`) : [];
    if (gather || reduce) steps.push('gather:0-1');
    if (main) steps.push('main:0-1');
    for (const step of steps) if (!this.#steps.has(step)) lacks(`${step} has no result`);
  }
}
