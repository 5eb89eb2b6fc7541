import { isUtf8 } from 'node:buffer';
import { type Exit, tampered } from '../core/failures.js';
import type { RunEnd, Work, WorkSink } from '../ports/runtime.js';
import { countLines } from './count-lines.js';
import { type Frame, splitHead } from './frames.js';
import { blockSchema, endSchema, itemFailedSchema, lockCallSchema, pairsHeadSchema } from './schemas.js';

interface Controls {
  /** Tells the worker that its block is stored. */
  stored(): void;
  /** The worker waits for an answer of ours, and gets it; `undefined`: nobody waits for it any more. */
  asked(): void;
  answered(answer: object | undefined): void;
  /** Stops and resumes the delivery of frames. */
  pause(): void;
  resume(): void;
}

/** A worker of ours waits for one answer, and may have given back as many locks as it held. */
const callsMax = 128;
const lineEnd = 0x0a;

/** Hears the frames of one run and hands them to its sink, one after the other. */
export class RunHearing {
  readonly end: Promise<RunEnd>;
  #resolve!: (end: RunEnd) => void;
  #reject!: (error: Error) => void;
  #paused = false;
  #ended = false;
  #exit: Exit | undefined;
  #next: number;
  #calls = 0;

  constructor(
    private readonly work: Work,
    private readonly sink: WorkSink,
    private readonly controls: Controls,
  ) {
    this.#next = work.range.from;
    this.end = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  get paused(): boolean {
    return this.#paused;
  }
  get ended(): boolean {
    return this.#ended;
  }

  /** @throws for a frame that no worker of ours sends. */
  hear({ type, payload }: Frame): void {
    switch (type) {
      case 'O':
        return this.#results(payload);
      case 'Q':
        return this.#pairs(payload);
      case 'F':
        return this.#failed(payload);
      case 'W':
        return this.#wait(this.sink.lines(payload));
      case 'K':
        return this.#block(payload);
      case 'C':
        return this.#called(payload);
      case 'X':
        return this.#done(payload);
      default:
        throw new TypeError(`a frame of type ${JSON.stringify(type)}`);
    }
  }

  #results(payload: Buffer): void {
    const items = payload.readUInt32LE(0);
    const lines = payload.subarray(4);
    this.#advance(items);
    if (lines.at(-1) !== lineEnd || countLines(lines) !== items) throw new RangeError('other lines than items');
    if (!isUtf8(lines)) throw new TypeError('results that are not UTF-8');
    this.#wait(this.sink.results(items, lines));
  }

  #pairs(payload: Buffer): void {
    const { head, raw } = splitHead(payload);
    const { items, buckets } = pairsHeadSchema.parse(head);
    this.#advance(items);
    let at = 0;
    const parts = buckets.map(([bucket, bytes]) => ({ bucket, lines: raw.subarray(at, (at += bytes)) }));
    const known = this.work.kind === 'map' ? this.work.buckets : 0;
    if (at !== raw.length || parts.some(({ bucket }) => bucket >= known))
      throw new RangeError('pairs outside of their buckets');
    this.#wait(this.sink.pairs(items, parts));
  }

  #failed(payload: Buffer): void {
    const { item, ...failure } = itemFailedSchema.parse(JSON.parse(payload.toString()));
    if (item !== this.#next) throw new RangeError(`item ${item} told instead of ${this.#next}`);
    this.#advance(1);
    this.#wait(this.sink.failed(item, failure));
  }

  #block(payload: Buffer): void {
    const { head, raw } = splitHead(payload);
    const stored = this.sink.block(blockSchema.parse(head), raw);
    this.#wait(stored.then(() => this.controls.stored()));
  }

  /** Frames go on being heard: what is asked has its own answer, and nothing of the output waits for it. */
  #called(payload: Buffer): void {
    const { id, ...call } = lockCallSchema.parse(JSON.parse(payload.toString()));
    this.#calls += 1;
    if (this.#calls > callsMax) throw new RangeError(`more than ${callsMax} questions at a time`);
    this.controls.asked();
    const answer = (told: object | undefined): void => {
      this.#calls -= 1;
      this.controls.answered(this.#ended ? undefined : told);
    };
    this.sink.lock(call).then(
      (told) => answer({ id, ...told }),
      (error: unknown) => {
        answer(undefined);
        this.fail(error);
      },
    );
  }

  #done(payload: Buffer): void {
    const { items = 0, failure, fatal, differs } = endSchema.parse(JSON.parse(payload.toString()));
    if (fatal !== undefined) return this.#finish({ kind: 'fatal', failure: fatal });
    if (failure !== undefined) return this.#finish({ kind: 'failed', failure });
    if (differs !== undefined) return this.#finish({ kind: 'differs', why: differs });
    this.#finish({ kind: 'ended', items });
  }

  /** Prints that were written before the last frame are read in the same turn of the event loop; they belong to this run. */
  #finish(end: RunEnd): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#resolve(end);
  }

  #advance(items: number): void {
    if (items < 1) throw new RangeError('results of no items');
    this.#next += items;
    if (this.work.kind !== 'map' || this.#next > this.work.range.to)
      throw new RangeError('more items told than asked for');
  }

  #wait(promise: void | Promise<void>): void {
    if (promise === undefined) return;
    this.#paused = true;
    this.controls.pause();
    promise.then(
      () => this.#resume(),
      (error: unknown) => this.fail(error),
    );
  }

  #resume(): void {
    this.#paused = false;
    this.controls.resume();
    if (this.#exit !== undefined && !this.#paused) this.#finish({ kind: 'gone', exit: this.#exit });
  }

  /** The process is gone and all that it wrote was heard, or waits for the sink. */
  gone(exit: Exit): void {
    this.#exit = exit;
    if (!this.#paused) this.#finish({ kind: 'gone', exit });
  }

  /** The worker said what it never says: it counts as crashed. */
  tamper(why: string): void {
    this.#finish({ kind: 'gone', exit: tampered(why) });
  }

  /** A sink or a source of the caller failed. */
  fail(error: unknown): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#reject(error instanceof Error ? error : new Error(String(error)));
  }
}
