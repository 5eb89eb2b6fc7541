import type { KvAsk, KvResult, LeaseRecord } from '../core/lease/types.js';
import type { ElectionEvent } from '../core/types.js';
import type { Links } from './links.js';
import type { Asker } from './sim-store.js';
import type { VirtualTime } from './virtual-time.js';
import type { Weakening } from './world-options.js';

/** How long an asker waits for an answer (ms), and how late a request may still arrive. */
const answerMs = 300;
const lateMaxMs = 3_000;
/** Share of requests that arrive when nobody waits for them any more. */
const lateShare = 0.02;
/** Writes that a crash of the server may take back. */
const tailMax = 8;

interface Bucket {
  readonly rev: number;
  readonly record: { readonly record: LeaseRecord; readonly rev: number } | undefined;
  readonly counter: { readonly round: number; readonly rev: number } | undefined;
}
const emptyBucket: Bucket = { rev: 0, record: undefined, counter: undefined };

/** A bucket with revisions as JetStream has them, behind links that lose and delay; it may be away, forget its newest writes, or all. */
export class SimKv {
  away = false;
  #bucket = emptyBucket;
  #history: Bucket[] = [];

  constructor(
    private readonly time: VirtualTime,
    private readonly links: Links,
    private readonly weaken: Weakening,
    private readonly answer: (to: Asker, event: ElectionEvent) => void,
    private readonly changed: () => void,
  ) {}

  ask(asker: Asker, id: number, ask: KvAsk): void {
    let answered = false;
    const reply = (result: KvResult): void => {
      if (answered) return;
      answered = true;
      this.answer(asker, { kind: 'kvAnswered', id, result });
    };
    this.time.after(answerMs, () => reply({ kind: 'failed' }));
    const late = this.links.chance(lateShare) ? this.links.uniform(lateMaxMs) : 0;
    this.time.after(this.links.delay() + late, () => {
      if (this.away || this.links.isCut(asker.name, 'kv') || this.links.loses()) return;
      const result = this.#act(ask);
      if (this.links.loses()) return;
      this.time.after(this.links.delay(), () => reply(result));
    });
  }

  /** Restart after a power cut: what was not synced is gone, and its revisions are given out again. */
  loseTail(): void {
    const back = 1 + Math.floor(this.links.uniform(tailMax));
    const at = Math.max(0, this.#history.length - back);
    this.#bucket = this.#history[at] ?? this.#bucket;
    this.#history = this.#history.slice(0, at);
  }
  lose(): void {
    this.#bucket = emptyBucket;
    this.#history = [];
  }

  #act(ask: KvAsk): KvResult {
    const { record, counter } = this.#bucket;
    switch (ask.op) {
      case 'readRecord':
        return { kind: 'record', entry: record };
      case 'readCounter':
        return { kind: 'counter', entry: counter };
      case 'writeRecord':
        return this.#write(ask.rev, record?.rev, (rev) => ({ record: { record: ask.record, rev } }));
      case 'writeCounter':
        return this.#write(ask.rev, counter?.rev, (rev) => ({ counter: { round: ask.round, rev } }));
    }
  }

  #write(expected: number, actual: number | undefined, change: (rev: number) => Partial<Bucket>): KvResult {
    if (expected !== (actual ?? 0) && this.weaken.putInsteadOfCas !== true) return { kind: 'conflict' };
    this.#history = [...this.#history, this.#bucket].slice(-tailMax);
    const rev = this.#bucket.rev + 1;
    this.#bucket = { ...this.#bucket, ...change(rev), rev };
    this.changed();
    return { kind: 'written', rev };
  }
}
