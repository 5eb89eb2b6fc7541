import type { Vote } from '../core/raft/types.js';
import { encodeSlot, mayFollow, readSlots } from '../core/raft/vote-slots.js';

/** How much of a write that a crash interrupts is there afterwards. */
const afterCrash = ['nothing', 'torn', 'all'] as const;

/** The vote store of one machine: the real slots on a disk that loses what was not synced. */
export class SimDisk {
  #slots: (string | undefined)[] = [undefined, undefined];
  #writing: { readonly slot: number; readonly text: string } | undefined;

  constructor(private readonly rng: () => number) {}

  load(): Vote | 'empty' | 'corrupt' {
    const read = readSlots(this.#slots);
    return typeof read === 'string' ? read : read.vote;
  }

  /** Begins a write; {@link sync} ends it. @throws when it would go back. */
  write(vote: Vote): void {
    const last = readSlots(this.#slots);
    if (typeof last !== 'string' && !mayFollow(last.vote, vote)) throw new Error('the vote store goes back');
    const n = typeof last === 'string' ? 1 : last.n + 1;
    this.#writing = { slot: n % 2, text: encodeSlot({ vote, n }) };
  }

  sync(): void {
    if (this.#writing !== undefined) this.#slots[this.#writing.slot] = this.#writing.text;
    this.#writing = undefined;
  }

  /** The machine went down in the middle of whatever it wrote. */
  crash(): void {
    const how = afterCrash[Math.floor(this.rng() * afterCrash.length)];
    if (this.#writing !== undefined && how === 'torn') {
      this.#slots[this.#writing.slot] = this.#writing.text.slice(0, Math.floor(this.rng() * this.#writing.text.length));
    }
    if (how === 'all') this.sync();
    this.#writing = undefined;
  }

  /** Another disk, or one that cannot be read. */
  lose(): void {
    const rotten = this.rng() < 0.5 ? 'x' : undefined;
    this.#slots = [rotten, rotten];
  }
}
