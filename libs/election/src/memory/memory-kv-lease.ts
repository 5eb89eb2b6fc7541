import type { Cancel } from '@das/kernel';
import type { KvEntry, KvKey, KvLease } from '../ports/kv-lease.js';

/** A bucket in memory, for tests; those who use it together share `bucket`. It may be away. */
export class MemoryBucket {
  away = false;
  rev = 0;
  readonly entries = new Map<KvKey, KvEntry>();
  readonly watchers = new Set<() => void>();
}

export class MemoryKvLease implements KvLease {
  readonly #own = new Set<() => void>();

  constructor(private readonly bucket = new MemoryBucket()) {}

  async get(key: KvKey): Promise<KvEntry | undefined> {
    this.#reach();
    return this.bucket.entries.get(key);
  }
  async create(key: KvKey, value: string): Promise<number | 'conflict'> {
    return this.#write(key, value, undefined);
  }
  async update(key: KvKey, value: string, rev: number): Promise<number | 'conflict'> {
    return this.#write(key, value, rev);
  }
  watch(changed: () => void): Cancel {
    const own = (): void => changed();
    this.bucket.watchers.add(own);
    this.#own.add(own);
    return () => void this.bucket.watchers.delete(own);
  }
  async close(): Promise<void> {
    for (const own of this.#own) this.bucket.watchers.delete(own);
  }

  #write(key: KvKey, value: string, expected: number | undefined): number | 'conflict' {
    this.#reach();
    const { bucket } = this;
    if (bucket.entries.get(key)?.rev !== expected) return 'conflict';
    bucket.rev += 1;
    bucket.entries.set(key, { value, rev: bucket.rev });
    for (const changed of [...bucket.watchers]) changed();
    return bucket.rev;
  }

  #reach(): void {
    if (this.bucket.away) throw new Error('the bucket is away');
  }
}
