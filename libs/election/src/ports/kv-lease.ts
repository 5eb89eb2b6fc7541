import type { Cancel } from '@das/kernel';
import type { KvAsk, KvResult, LeaseRecord } from '../core/lease/types.js';

/** A value and the revision that wrote it. */
export interface KvEntry {
  readonly value: string;
  readonly rev: number;
}

/**
 * Role: two keys in one bucket of this cluster; a write succeeds only on the revision that its writer knows.
 * Ordering: revisions of the bucket grow, unless its server lost its newest writes. Nothing is ever deleted: expiry is judged by who reads.
 * Every method rejects when there is no answer in time; a write may have happened then.
 */
export interface KvLease {
  /** The newest value, from whoever decides on writes; undefined when there is none. */
  get(key: KvKey): Promise<KvEntry | undefined>;
  /** Writes iff there is none yet. */
  create(key: KvKey, value: string): Promise<number | 'conflict'>;
  /** Writes iff `rev` is still the newest of this key. */
  update(key: KvKey, value: string, rev: number): Promise<number | 'conflict'>;
  /** Calls `changed` when something was written, at least mostly: it saves a poll. */
  watch(changed: () => void): Cancel;
  close(): Promise<void>;
}
export type KvKey = 'record' | 'counter';

/** Does one ask of the strategy. Never rejects: what went wrong is a result too, and so is what cannot be read. */
export async function askKv(kv: KvLease, ask: KvAsk): Promise<KvResult> {
  try {
    switch (ask.op) {
      case 'readRecord':
        return { kind: 'record', entry: readEntry(await kv.get('record'), 'record', asRecord) };
      case 'readCounter':
        return { kind: 'counter', entry: readEntry(await kv.get('counter'), 'round', asRound) };
      case 'writeRecord':
        return written(await write(kv, 'record', JSON.stringify(ask.record), ask.rev));
      case 'writeCounter':
        return written(await write(kv, 'counter', String(ask.round), ask.rev));
    }
  } catch {
    return { kind: 'failed' };
  }
}

const write = (kv: KvLease, key: KvKey, value: string, rev: number): Promise<number | 'conflict'> =>
  rev === 0 ? kv.create(key, value) : kv.update(key, value, rev);

const written = (outcome: number | 'conflict'): KvResult =>
  outcome === 'conflict' ? { kind: 'conflict' } : { kind: 'written', rev: outcome };

function readEntry<K extends string, V>(
  entry: KvEntry | undefined,
  name: K,
  read: (text: string) => V,
): ({ readonly rev: number } & { readonly [N in K]: V }) | undefined {
  if (entry === undefined) return undefined;
  return { rev: entry.rev, [name]: read(entry.value) } as { readonly rev: number } & { readonly [N in K]: V };
}

/** Anyone with the cluster's token may write into the bucket; what is no record is one of nobody, and ages like any other. */
function asRecord(text: string): LeaseRecord {
  const found = JSON.parse(text) as Partial<Record<keyof LeaseRecord, unknown>>;
  const { leader, nonce, round, n, state } = found;
  const fits =
    typeof leader === 'string' &&
    typeof nonce === 'string' &&
    count(round) &&
    count(n) &&
    (state === 'claim' || state === 'held');
  if (!fits) throw new TypeError('not a record');
  return { leader, nonce, round, n, state } as LeaseRecord;
}

function asRound(text: string): number {
  const round = Number(text);
  if (!count(round)) throw new TypeError('not a counter');
  return round;
}

const count = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
