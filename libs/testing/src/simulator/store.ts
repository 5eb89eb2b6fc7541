import type { VirtualTime } from '@das/election/sim';
import type * as contracts from '@das/contracts';
import { Fault, type ReplyOf, type RequestOf } from '@das/contracts';
import { type Clock, type DurationMs, epochMs, messageOf } from '@das/kernel';
import { asFault } from '@das/jobs';
import * as memory from '@das/jobs/memory';
import { type Bus, type CallOptions, store as place } from './bus.js';
import type { Process } from './machine.js';
import type { Weakening } from './weakening.js';

export interface Answer<Reply> {
  readonly reply: Reply;
  readonly raw: Uint8Array;
}
const nothing = new Uint8Array();
const bare =
  <Q, R>(act: (world: memory.MemoryWorld, request: Q, raw: Uint8Array) => R) =>
  (world: memory.MemoryWorld, request: Q, raw: Uint8Array): Answer<R> => ({
    reply: act(world, request, raw),
    raw: nothing,
  });

/** All that a store does, on the memory twin's tables: one call, one transaction. */
export const operations = {
  createJob: bare(memory.createJob),
  appendBlock: bare(memory.appendBlock),
  sealJob: bare(memory.sealJob),
  restartSplit: bare(memory.restartSplit),
  listBlocks: bare(memory.listBlocks),
  saveActs: bare(memory.saveActs),
  advanceJob: bare(memory.advanceJob),
  loadJobs: bare(memory.loadJobs),
  loadParts: bare(memory.loadParts),
  stageOutput: bare(memory.stageOutput),
  commitPart: bare(memory.commitPart),
  getJob: bare(memory.getJob),
  cancelJob: bare(memory.cancelJob),
  claimTerm: bare(memory.claimTerm),
  renewTerm: bare(memory.renewTerm),
  currentTerm: bare((world: memory.MemoryWorld) => memory.currentTerm(world)),
  readItems: memory.readItems,
  readOutput: memory.readOutput,
} as const;
export type Operations = {
  -readonly [K in OperationName]: (world: memory.MemoryWorld, request: Ask<K>, raw: Uint8Array) => Answer<Reply<K>>;
};
export type OperationName = keyof typeof operations;
export type Ask<K extends OperationName> = RequestOf<(typeof contracts)[K]>;
export type Reply<K extends OperationName> = ReplyOf<(typeof contracts)[K]>;

/** What came of a call: an answer, a refusal that stays, or nothing that anybody knows of. */
export type Outcome<K extends OperationName> = Answer<Reply<K>> | Fault | undefined;

/** One request as the store performed it. */
export interface Act<K extends OperationName = OperationName> {
  readonly op: K;
  readonly from: string;
  readonly request: Ask<K>;
  readonly reply: Reply<K> | undefined;
}

export interface StoreOwner {
  readonly time: VirtualTime;
  readonly bus: Bus;
  readonly weaken: Weakening;
  /** Before and after every transaction. */
  acting(op: OperationName, request: unknown): void;
  acted(act: Act): void;
  refused(op: OperationName, from: string, why: string): void;
}

/** The calls' own patience where a caller names none (ms). */
const usual: CallOptions = { timeoutMs: 5_000, tryMs: 2_000 };

/** The one store: the memory twin's rules behind a lossy bus. It may be away, and answers may get lost although all was done. */
export class SimStore {
  readonly data = memory.emptyData();
  away = false;
  /** Share of answers that get lost on purpose. */
  deafness = 0;
  readonly #world: memory.MemoryWorld;
  readonly #operations: Operations;

  constructor(
    private readonly owner: StoreOwner,
    private readonly chance: () => number,
  ) {
    const { time } = owner;
    const clock = { now: () => epochMs(time.now), monotonic: () => time.now as DurationMs };
    this.#world = { data: this.data, clock: { ...clock, timer: never, every: never } satisfies Clock };
    this.#operations = owner.weaken.operations?.(operations, this.data) ?? operations;
  }

  /** Asks the store, as a service of a machine does. */
  ask<K extends OperationName>(
    caller: Process,
    op: K,
    request: Ask<K>,
    done: (outcome: Outcome<K>) => void,
    { raw = nothing, ...options }: Partial<CallOptions> & { raw?: Uint8Array } = {},
  ): void {
    this.owner.bus.call<Answer<Reply<K>> | Fault>(
      caller,
      place,
      (answer) => this.#serve(caller.name, op, request, raw, answer),
      { ...usual, ...options },
      done,
    );
  }

  #serve<K extends OperationName>(
    from: string,
    op: K,
    request: Ask<K>,
    raw: Uint8Array,
    answer: (reply: Answer<Reply<K>> | Fault) => void,
  ): void {
    if (this.away) return;
    const reply = this.perform(from, op, request, raw);
    if (this.deafness > 0 && this.chance() < this.deafness) return;
    answer(reply);
  }

  /** One transaction, now. */
  perform<K extends OperationName>(from: string, op: K, request: Ask<K>, raw: Uint8Array): Answer<Reply<K>> | Fault {
    this.owner.acting(op, request);
    try {
      const answer = this.#operations[op](this.#world, request, raw);
      this.data.outbox = [];
      this.owner.acted({ op, from, request, reply: answer.reply });
      return answer;
    } catch (thrown) {
      const fault = asFault(thrown);
      if (!(fault instanceof Fault)) throw thrown;
      if (fault.code === 'REQUEST_INVALID') this.owner.refused(op, from, messageOf(thrown));
      return fault;
    }
  }
}

const never = (): never => {
  throw new Error('the store sets no timers');
};
