import {
  type FoundFile,
  type SpoolFile,
  type SpoolFiles,
  SpoolWriteError,
  type TornFile,
  spoolNamePattern,
} from '../ports/spool-files.js';

/** A spool without a disk, for tests: what it has survives as long as the object does. */
export class MemorySpool implements SpoolFiles {
  readonly files = new Map<string, { readonly head: string; readonly raw: Buffer }>();
  /** Names of files whose content is to be found torn. */
  readonly broken = new Set<string>();
  /** Set: every write fails with these words. */
  refusal: string | undefined;

  async open(): Promise<{ found: FoundFile[]; torn: TornFile[] }> {
    const names = [...this.files.keys()].sort();
    const torn = names.filter((name) => this.broken.has(name)).map((name) => this.#setAside(name));
    const found = [...this.files].map(([name, { head, raw }]) => ({ name, head, bytes: head.length + raw.length }));
    return { found: found.sort((a, b) => (a.name < b.name ? -1 : 1)), torn };
  }

  async write(name: string, { head, raw }: SpoolFile): Promise<number> {
    if (!spoolNamePattern.test(name)) throw new RangeError(`not a name of the spool: ${JSON.stringify(name)}`);
    if (this.refusal !== undefined) throw new SpoolWriteError(this.refusal, true);
    const all = Buffer.concat(raw);
    this.files.set(name, { head, raw: all });
    return head.length + all.length;
  }

  async read(name: string): Promise<{ head: string; raw: Uint8Array } | TornFile> {
    if (this.broken.has(name)) return this.#setAside(name);
    return this.files.get(name) ?? { name, why: 'it is gone' };
  }

  async setAside(name: string): Promise<void> {
    this.files.delete(name);
  }

  async remove(name: string): Promise<void> {
    this.files.delete(name);
  }

  #setAside(name: string): TornFile {
    this.files.delete(name);
    return { name, why: 'it is broken' };
  }
}
