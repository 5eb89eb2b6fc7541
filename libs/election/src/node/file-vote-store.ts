import { messageOf } from '@das/kernel';
import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { Vote } from '../core/raft/types.js';
import { type Slot, encodeSlot, mayFollow, readSlots } from '../core/raft/vote-slots.js';
import type { VoteStore } from '../ports/vote-store.js';

/** The vote would go back, or the disk did not take it. State: what was stored before, or this vote; nobody was told of it. */
export class VoteStoreError extends Error {
  override readonly name = 'VoteStoreError';
}

/**
 * Two files in a folder of this node, written in turn: beside the slot first, synced, renamed into it, and the folder synced. A crash
 * at any moment leaves one slot whole. The newest that can be read counts.
 */
export class FileVoteStore implements VoteStore {
  #newest: Slot | 'empty' | 'corrupt' | undefined;

  constructor(private readonly dir: string) {}

  async load(): Promise<Vote | 'empty' | 'corrupt'> {
    this.#newest = readSlots(await Promise.all([0, 1].map((slot) => this.#read(slot))));
    return typeof this.#newest === 'string' ? this.#newest : this.#newest.vote;
  }

  async save(vote: Vote): Promise<void> {
    if (this.#newest === undefined) await this.load();
    const last = typeof this.#newest === 'object' ? this.#newest : undefined;
    if (last !== undefined && !mayFollow(last.vote, vote)) {
      throw new VoteStoreError(
        `round ${vote.round} cannot follow round ${last.vote.round} as it is stored in ${this.dir}`,
      );
    }
    const slot = { vote, n: (last?.n ?? 0) + 1 };
    await this.#write(slot);
    this.#newest = slot;
  }

  async #read(slot: number): Promise<string | undefined> {
    try {
      return await readFile(this.#path(slot), 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      // There, and not readable: not the same as never written.
      return '';
    }
  }

  async #write(slot: Slot): Promise<void> {
    const path = this.#path(slot.n % 2);
    try {
      await mkdir(this.dir, { recursive: true, mode: 0o700 });
      await synced(`${path}.new`, 'w', (file) => file.writeFile(encodeSlot(slot)));
      await rename(`${path}.new`, path);
      await synced(this.dir, 'r', () => Promise.resolve());
    } catch (error) {
      throw new VoteStoreError(`the vote cannot be stored in ${this.dir}: ${messageOf(error)}`, { cause: error });
    }
  }

  #path(slot: number): string {
    return join(this.dir, `vote-${slot === 0 ? 'a' : 'b'}`);
  }
}

/** Opens, acts, syncs, closes; also when one of these fails. */
async function synced(
  path: string,
  flags: string,
  act: (file: Awaited<ReturnType<typeof open>>) => Promise<unknown>,
): Promise<void> {
  const file = await open(path, flags, 0o600);
  try {
    await act(file);
    await file.sync();
  } finally {
    await file.close();
  }
}
