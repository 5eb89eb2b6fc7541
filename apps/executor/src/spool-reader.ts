import { type AttemptKey, type SpoolFiles, spoolName } from '@das/execution';
import { messageOf } from '@das/kernel';
import type { Logger } from '@das/platform';

/** So many failed reads in a row, and the disk is taken for broken; with the spool's pauses between them that is about a minute. */
export const readTriesMax = 30;

/** Reads outputs back from a disk that may refuse for a moment (no descriptor, no memory, an error of the device). */
export class SpoolReader {
  /** Failed reads in a row, by what the caller keeps of an output as long as that is on disk. */
  readonly #failed = new WeakMap<object, number>();

  constructor(
    private readonly files: Pick<SpoolFiles, 'read'>,
    private readonly log: Pick<Logger, 'warn'>,
  ) {}

  /** Undefined: it cannot be read just now, and is to be tried again. @throws Error with the disk's words, after {@link readTriesMax} times. */
  async read(key: AttemptKey, kept: object): Promise<Awaited<ReturnType<SpoolFiles['read']>> | undefined> {
    try {
      const read = await this.files.read(spoolName(key));
      this.#failed.delete(kept);
      return read;
    } catch (error) {
      const failed = (this.#failed.get(kept) ?? 0) + 1;
      const words = `its output on disk cannot be read: ${messageOf(error)}`;
      if (failed >= readTriesMax) throw new Error(words, { cause: error });
      this.#failed.set(kept, failed);
      if (failed === 1) this.log.warn({ err: error, attempt: key }, `${words}; it is tried again`);
      return undefined;
    }
  }
}
