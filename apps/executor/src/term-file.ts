import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const name = 'highest-term';

/** Keeps the highest term over a restart: an act of an older leader stays refused. Written rarely: once per leader. */
export class TermFile {
  readonly #path: string;

  constructor(private readonly folder: string) {
    this.#path = join(folder, name);
  }

  /** 0 when there is none, or it cannot be read. */
  read(): number {
    try {
      const term = Number(readFileSync(this.#path, 'utf8'));
      return Number.isSafeInteger(term) && term > 0 ? term : 0;
    } catch {
      return 0;
    }
  }

  /** @throws when the disk refuses; the term kept before stays. */
  write(term: number): void {
    mkdirSync(this.folder, { recursive: true });
    writeFileSync(`${this.#path}.new`, String(term));
    renameSync(`${this.#path}.new`, this.#path);
  }
}
