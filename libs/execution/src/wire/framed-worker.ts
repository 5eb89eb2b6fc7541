import process from 'node:process';
import type { BlockHead } from '@das/contracts';
import { messageOf } from '@das/kernel';
import type { z } from 'zod';
import { type Exit, type ScriptFailure, tampered } from '../core/failures.js';
import { WorkerGoneError } from '../ports/errors.js';
import type { LaunchedProcess } from '../ports/launch.js';
import type {
  Furnished,
  Inspection,
  Pages,
  RunEnd,
  RuntimeWorker,
  ScriptJob,
  ScriptText,
  Work,
  WorkSink,
  WorkerPosition,
} from '../ports/runtime.js';
import { drained } from './drained.js';
import { type Frame, FrameReader, frame, jsonFrame, numberedFrame } from './frames.js';
import { RunHearing } from './run-hearing.js';
import { inspectedSchema, loadedSchema } from './schemas.js';
import { Tools } from './tools.js';
import { beginning, pagesFor } from './work-frames.js';

/** What the worker is told first, whatever its language; {@link FramedWorker} adds who started it. */
export type WorkerStart = Readonly<Record<string, unknown>>;

/** What waits to be written to a worker that does not read (bytes). One that reads gets no further behind than a page. */
const unreadBytesMax = 64 * 1024 * 1024;

/** The executor's end of file descriptor 3 of one worker. Every language speaks the frames of ./frames.ts. */
export class FramedWorker implements RuntimeWorker {
  readonly ready: Promise<void>;
  readonly #reader = new FrameReader();
  #expect: { resolve(frame: Frame): void; reject(error: Error): void; mayFetch: boolean } | undefined;
  readonly #tools: Tools;
  #hearing: RunHearing | undefined;
  #exit: Exit | undefined;
  /** Things that the worker waits for and that are ours to give. */
  #owed = 0;

  constructor(
    private readonly process: LaunchedProcess,
    private readonly furnished: Furnished,
    start: WorkerStart,
    /** Texts that the worker may ask for by a name; undefined for one that there is not. */
    tool: (name: string) => Buffer | undefined = () => undefined,
  ) {
    this.#tools = new Tools(tool);
    process.channel.on('data', (chunk: Buffer) => this.#hear(chunk));
    // The process may end while we write to it; its exit says all there is to say.
    process.channel.on('error', () => undefined);
    void process.exited.then((exit) => this.#gone(exit));
    const first = this.#next(false);
    this.ready = first.then(() => undefined);
    this.ready.catch(() => undefined);
    this.#send(jsonFrame('S', { parent: ownPid, ...start, ...process.start }));
  }

  get waitsForUs(): boolean {
    return this.#owed > 0;
  }

  position(): WorkerPosition {
    return this.furnished.position();
  }

  confirm(): void {
    this.furnished.confirm();
  }

  cancel(): void {
    this.furnished.cancel();
  }

  async inspect(code: ScriptText, folder?: string): Promise<Inspection> {
    this.#send(jsonFrame('I', { ...code, folder }));
    return this.#answer('I', inspectedSchema);
  }

  async load(script: ScriptJob): Promise<ScriptFailure | undefined> {
    this.#send(jsonFrame('L', script));
    const { failure } = await this.#answer('L', loadedSchema);
    return failure ?? undefined;
  }

  async run(work: Work, sink: WorkSink): Promise<RunEnd> {
    if (this.#exit !== undefined) return { kind: 'gone', exit: this.#exit };
    const hearing = new RunHearing(work, sink, {
      stored: () => this.#send(frame('A')),
      asked: () => void (this.#owed += 1),
      answered: (answer) => this.#answered(answer),
      pause: () => this.#hold(),
      resume: () => this.#release(),
    });
    this.#hearing = hearing;
    try {
      this.#send(jsonFrame('B', beginning(work)));
      this.#feed(work, hearing).catch((error: unknown) => hearing.fail(error));
      return await hearing.end;
    } finally {
      this.#hearing = undefined;
    }
  }

  /** Gives the worker what it works on. Stops when the run has ended: the worker drops what comes late. */
  async #feed(work: Work, hearing: RunHearing): Promise<void> {
    if (work.kind === 'map') {
      if ('pages' in work.items) await this.#feedPages(work.items.pages, hearing, ({ count }) => count);
    } else if (work.kind === 'split') {
      for (let heads = await this.#own(work.stored()); heads !== undefined; heads = await this.#own(work.stored()))
        this.#send(jsonFrame('H', heads satisfies readonly BlockHead[]));
      this.#send(frame('E'));
    } else {
      const pages = pagesFor(work);
      if (pages === undefined) return;
      await this.#feedPages(pages, hearing, ({ source }) => source);
      if (!hearing.ended) this.#send(frame('E'));
    }
  }

  async #feedPages(
    pages: Pages,
    hearing: RunHearing,
    numberOf: (page: { count: number; source: number }) => number,
  ): Promise<void> {
    for (let page = await this.#own(pages()); page !== undefined && !hearing.ended; page = await this.#own(pages())) {
      if (!this.#send(numberedFrame('D', numberOf(page), page.raw))) await drained(this.process.channel);
    }
  }

  async #own<T>(promise: Promise<T>): Promise<T> {
    this.#owed += 1;
    try {
      return await promise;
    } finally {
      this.#owed -= 1;
    }
  }

  #send(chunks: readonly Buffer[]): boolean {
    const { channel } = this.process;
    if (channel.destroyed) return false;
    if (channel.writableLength > unreadBytesMax) {
      this.#broken(new RangeError(`more than ${unreadBytesMax} bytes that it asked for and does not read`));
      return false;
    }
    channel.cork();
    let room = true;
    for (const chunk of chunks) room = channel.write(chunk);
    channel.uncork();
    return room;
  }

  #next(mayFetch: boolean): Promise<Frame> {
    return new Promise((resolve, reject) => {
      if (this.#exit !== undefined) reject(new WorkerGoneError(this.#exit));
      else this.#expect = { resolve, reject, mayFetch };
    });
  }

  /** @throws WorkerGoneError, also for an answer that no worker of ours gives: the worker is ended. */
  async #answer<T>(type: string, schema: z.ZodType<T>): Promise<T> {
    const answer = await this.#next(true);
    try {
      if (answer.type === type) return schema.parse(JSON.parse(answer.payload.toString()));
    } catch {
      // As any other answer that was not asked for.
    }
    this.process.signal('SIGKILL');
    throw new WorkerGoneError(tampered(`an answer that cannot be read, of type ${JSON.stringify(answer.type)}`));
  }

  #answered(answer: object | undefined): void {
    this.#owed -= 1;
    if (answer !== undefined) this.#send(jsonFrame('V', answer));
  }

  #hold(): void {
    this.#owed += 1;
    this.process.channel.pause();
  }

  #release(): void {
    this.#owed -= 1;
    this.#deliver();
    if (this.#hearing?.paused !== true) this.process.channel.resume();
  }

  #hear(chunk: Buffer): void {
    this.#reader.push(chunk);
    this.#deliver();
  }

  #deliver(): void {
    try {
      while (this.#hearing?.paused !== true) {
        const next = this.#reader.next();
        if (next === undefined) return;
        this.#dispatch(next);
      }
    } catch (error) {
      this.#broken(error);
    }
  }

  #dispatch(next: Frame): void {
    if (this.#hearing !== undefined) return this.#hearing.hear(next);
    const expect = this.#expect;
    if (next.type === 'T') {
      if (expect?.mayFetch !== true) throw new TypeError('a tool asked for while nothing was to be answered');
      return void this.#send(frame('T', this.#tools.give(next.payload)));
    }
    this.#expect = undefined;
    expect?.resolve(next);
  }

  /** The script wrote into the channel: nothing that follows can be believed. */
  #broken(error: unknown): void {
    this.process.signal('SIGKILL');
    this.#hearing?.tamper(messageOf(error));
    this.#expect?.reject(new WorkerGoneError(tampered(messageOf(error))));
    this.#expect = undefined;
  }

  #gone(exit: Exit): void {
    this.#exit = exit;
    this.#expect?.reject(new WorkerGoneError(exit));
    this.#expect = undefined;
    this.#finishReading(() => this.#hearing?.gone(exit));
  }

  /** What the worker had written before its end is still on its way; what it forked may hold the channel open for ever. */
  #finishReading(then: () => void): void {
    const { channel } = this.process;
    const finish = (): void => {
      channel.off('end', finish).off('close', finish);
      then();
    };
    if (channel.readableEnded || channel.destroyed) return finish();
    channel.on('end', finish).on('close', finish);
  }
}

const ownPid = process.pid;
