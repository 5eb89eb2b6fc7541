/** Senders (each start of one counts) remembered by one listener; beyond it the one silent longest is forgotten, which at worst reports a gap. */
export const sendersMax = 4096;

/** `gap`: deliver it, but something before it was lost, or the sender is new to this listener and had spoken before. */
export type Heard = 'next' | 'gap' | 'duplicate';

/** What one listener has heard of each sender, so that a repeated announcement is dropped and a lost one is noticed. */
export class SenderSequences {
  /** Insertion order is order of use: the first key is the one silent longest. */
  readonly #last = new Map<string, number>();
  readonly #epochs = new Map<string, string>();

  constructor(private readonly limit: number = sendersMax) {}

  /** Judges one announcement and remembers it. A new epoch of a known sender is a gap: its last words before the restart may be lost. */
  heard(from: string, epoch: string, seq: number): Heard {
    const key = `${from} ${epoch}`;
    const last = this.#last.get(key);
    if (last !== undefined && seq <= last) return 'duplicate';
    this.#remember(key, seq);
    if (last !== undefined) return seq === last + 1 ? 'next' : 'gap';
    const restarted = this.#epochs.has(from) && this.#epochs.get(from) !== epoch;
    this.#epochs.delete(from);
    this.#epochs.set(from, epoch);
    forgetOldest(this.#epochs, this.limit);
    return restarted || seq > 1 ? 'gap' : 'next';
  }

  #remember(key: string, seq: number): void {
    this.#last.delete(key);
    this.#last.set(key, seq);
    forgetOldest(this.#last, this.limit);
  }
}

function forgetOldest(map: Map<string, unknown>, limit: number): void {
  if (map.size <= limit) return;
  for (const oldest of map.keys()) {
    map.delete(oldest);
    return;
  }
}
