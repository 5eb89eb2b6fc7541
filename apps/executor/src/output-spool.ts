import type { Assignment } from '@das/contracts';
import {
  type AttemptKey,
  type FoundFile,
  type SpoolBounds,
  type SpoolEffect,
  type SpoolEvent,
  type SpoolFiles,
  type SpoolState,
  attemptKey,
  isSpooled,
  newSpool,
  spoolName,
  spoolStep,
  spoolTrouble,
  spooledBytes,
  spooledFiles,
} from '@das/execution';
import { type Cancel, type Clock, messageOf } from '@das/kernel';
import { type Logger, withSpan } from '@das/platform';
import { type Told, nothingDone, toldOf } from './commit.js';
import { type HeldCommit, type HeldHead, fileOf, headFrom } from './held-commit.js';
import { sendHeld } from './held-sender.js';
import { saysJobEnded } from './refusals.js';
import { SpoolReader } from './spool-reader.js';
import type { StoreClient } from './store-client.js';

/** What the spool needs, and who hears of it. */
export interface SpoolTools {
  readonly files: SpoolFiles;
  readonly store: StoreClient;
  readonly clock: Clock;
  readonly log: Logger;
}
export interface SpoolListener {
  /** It is on disk: what memory has of it may go. */
  handedOver(key: AttemptKey): void;
  /** The store has judged it, or this node cannot go on with it. */
  ended(key: AttemptKey, assignment: Assignment, kind: 'settled' | 'givenBack', told: Told): void;
}

type Kept = Omit<HeldHead, 'rows'>;

/** Outputs whose commits were not answered: on disk, so that a restart loses none, and asked for from there. Drives the decisions of the spool's core. */
export class OutputSpool {
  #state: SpoolState;
  readonly #reader: SpoolReader;
  #found: SpoolEvent[] = [];
  #listener: SpoolListener | undefined;
  #torn = 0;
  #wake: Cancel = () => undefined;
  #closed = false;
  #writing: Promise<void> = Promise.resolve();
  /** Those in memory. */
  readonly #offers = new Map<AttemptKey, () => HeldCommit>();
  /** Those on disk; their rows are read again when they are sent. */
  readonly #kept = new Map<AttemptKey, Kept>();

  constructor(
    private readonly tools: SpoolTools,
    bounds: SpoolBounds,
  ) {
    this.#state = newSpool(bounds);
    this.#reader = new SpoolReader(tools.files, tools.log);
  }

  /** Reads what an earlier life left, to be named as held. A folder that cannot be used is told, and changes nothing else. */
  async open(): Promise<Assignment[]> {
    try {
      const { found, torn } = await this.tools.files.open();
      for (const { name, why } of torn) this.#tellTorn(name, why);
      const sizes = new Map<AttemptKey, number>();
      for (const file of found) await this.#take(file, sizes);
      if (sizes.size > 0)
        this.tools.log.info({ outputs: sizes.size }, 'outputs of an earlier run are on disk and wait for the store');
      this.#found = [...sizes].map(([key, bytes]) => ({ kind: 'found', key, bytes }));
    } catch (error) {
      this.tools.log.warn({ err: error }, `outputs kept by an earlier run cannot be read: ${messageOf(error)}`);
    }
    return [...this.#kept.values()].map(({ assignment }) => assignment);
  }

  /** From now on the store is asked. */
  start(listener: SpoolListener): void {
    this.#listener = listener;
    for (const event of this.#found.splice(0)) this.#handle(event);
  }

  /** A commit that was not answered at once. `held` is asked for once it is written. */
  offer(key: AttemptKey, held: () => HeldCommit): void {
    if (this.#closed || this.#kept.has(key) || this.#offers.has(key)) return;
    this.#offers.set(key, held);
    const { head, raw } = fileOf(held());
    const bytes = raw.reduce((sum, { length }) => sum + length, Buffer.byteLength(head));
    this.#handle({ kind: 'offered', key, bytes });
  }

  /** As {@link offer}, and waits for the disk. Whether it is safe there. */
  async secure(key: AttemptKey, held: () => HeldCommit): Promise<boolean> {
    this.offer(key, held);
    while (this.#state.entries.get(key)?.state === 'writing') await this.#writing;
    return isSpooled(this.#state, key);
  }

  /** It is on disk and nowhere else. */
  has(key: AttemptKey): boolean {
    return isSpooled(this.#state, key);
  }

  /** It was judged elsewhere, or nobody wants it any more. */
  over(key: AttemptKey): void {
    this.#offers.delete(key);
    this.#handle({ kind: 'over', key });
  }

  get figures() {
    const state = this.#state;
    const { bytesMax } = state.bounds;
    return {
      ...{ bytes: spooledBytes(state), files: spooledFiles(state), bytesMax },
      ...{ torn: this.#torn, trouble: spoolTrouble(state) },
    };
  }

  /** Asks and writes no more; what is on disk stays there. Resolves when nothing is being written. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#wake();
    await this.#writing;
  }

  #handle(event: SpoolEvent): void {
    const now = this.tools.clock.monotonic();
    const { state, effects, wakeAt } = spoolStep(this.#state, event, now);
    this.#state = state;
    this.#wake();
    if (wakeAt !== undefined && !this.#closed)
      this.#wake = this.tools.clock.timer(wakeAt - now, () => this.#handle({ kind: 'tick' }));
    for (const effect of effects) this.#perform(effect);
  }

  #perform({ kind, key }: SpoolEffect): void {
    switch (kind) {
      case 'write':
        this.#writing = this.#write(key);
        return;
      case 'handOver':
        this.#offers.delete(key);
        return this.#listener?.handedOver(key);
      case 'ask':
        if (!this.#closed) void this.#ask(key);
        return;
      case 'remove':
        this.#kept.delete(key);
        return void this.#remove(key);
    }
  }

  async #write(key: AttemptKey): Promise<void> {
    const held = this.#offers.get(key)?.();
    try {
      if (held === undefined || this.#closed) throw new Error('nobody wants it any more');
      await this.tools.files.write(spoolName(key), fileOf(held));
      const { rows: _rows, raw: _raw, ...kept } = held;
      this.#kept.set(key, kept);
      this.#handle({ kind: 'written', key });
    } catch (error) {
      this.#handle({ kind: 'notWritten', key, why: messageOf(error) });
    }
  }

  async #remove(key: AttemptKey): Promise<void> {
    try {
      await this.tools.files.remove(spoolName(key));
    } catch (error) {
      // Found again after a restart, the store will say once more that it is over.
      this.tools.log.warn({ err: error }, `an output that is no longer needed stays on disk: ${messageOf(error)}`);
    }
  }

  async #ask(key: AttemptKey): Promise<void> {
    const kept = this.#kept.get(key);
    if (kept === undefined) return;
    try {
      const read = await this.#reader.read(key, kept);
      if (read === undefined) return this.#handle({ kind: 'unanswered', key });
      if ('why' in read) return this.#lost(key, kept.assignment, read.why);
      const head = headFrom(read.head);
      if (head === undefined) return this.#lost(key, kept.assignment, 'it is not of this version');
      const { job, part, attempt } = head.assignment;
      const attributes = { 'das.job': job, 'das.part': part, 'das.attempt': attempt };
      const about = { traceparent: head.traceparent, attributes };
      const judged = await withSpan('commit', about, () => sendHeld(this.tools.store, head, read.raw));
      if (judged === undefined) return this.#handle({ kind: 'unanswered', key });
      this.#end(key, kept.assignment, 'settled', toldOf(judged));
    } catch (error) {
      this.#refused(key, kept.assignment, error);
    }
  }

  #refused(key: AttemptKey, assignment: Assignment, error: unknown): void {
    if (saysJobEnded(error)) return this.#end(key, assignment, 'givenBack', { ...nothingDone, outcome: 'jobEnded' });
    this.#giveBack(key, assignment, messageOf(error));
  }

  #lost(key: AttemptKey, assignment: Assignment, why: string): void {
    this.#tellTorn(spoolName(key), why);
    this.#giveBack(key, assignment, `its output on disk is lost: ${why}`);
  }

  #giveBack(key: AttemptKey, assignment: Assignment, why: string): void {
    const { job, part, attempt } = assignment;
    this.tools.log.warn({ job, part, attempt }, `attempt given back: ${why}`);
    this.#end(key, assignment, 'givenBack', { ...nothingDone, outcome: 'abandoned', why });
  }

  /** It may have been dropped while the store was asked. */
  #end(key: AttemptKey, assignment: Assignment, kind: 'settled' | 'givenBack', told: Told): void {
    if (this.#closed || !this.#kept.has(key)) return;
    this.#handle({ kind: 'over', key });
    this.#listener?.ended(key, assignment, kind, told);
  }

  async #take({ name, head: text, bytes }: FoundFile, sizes: Map<AttemptKey, number>): Promise<void> {
    const head = headFrom(text);
    const key = head === undefined ? '' : attemptKey(head.assignment);
    if (head === undefined || spoolName(key) !== name) {
      await this.tools.files.setAside(name);
      return this.#tellTorn(name, 'its head is none of ours');
    }
    const { rows: _rows, ...kept } = head;
    this.#kept.set(key, kept);
    sizes.set(key, bytes);
  }

  #tellTorn(name: string, why: string): void {
    this.#torn += 1;
    this.tools.log.warn({ file: name }, `an output on disk cannot be used and is set aside: ${why}`);
  }
}
