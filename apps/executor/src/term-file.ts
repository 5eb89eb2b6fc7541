import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';

const name = 'highest-term';

/**
 * Keeps the highest term over a restart, and a crash of the machine: an act of an older leader stays refused. Written rarely, once per leader,
 * and waited for: an act must not be taken under a term that may be forgotten.
 */
export class TermFile {
  readonly #path: string;

  constructor(private readonly folder: string) {
    this.#path = join(folder, name);
  }

  /** 0 when there is none, or it cannot be read. What is left of a cut number is a lower one: never is a valid term refused for it. */
  read(): number {
    try {
      const text = readFileSync(this.#path, 'utf8');
      const term = /^[1-9]\d{0,15}$/.test(text) ? Number(text) : 0;
      return Number.isSafeInteger(term) ? term : 0;
    } catch {
      return 0;
    }
  }

  /** @throws when the disk refuses; the term kept before stays. */
  write(term: number): void {
    mkdirSync(this.folder, { recursive: true });
    const fresh = `${this.#path}.new`;
    // Whatever lies there may be somebody else's, or open to others.
    unlinkIfThere(fresh);
    synced(fresh, 'wx', (file) => writeFileSync(file, String(term)));
    renameSync(fresh, this.#path);
    synced(this.folder, 'r', () => undefined);
  }
}

function unlinkIfThere(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}

/** Opens, acts, syncs, closes; also when one of these fails. */
function synced(path: string, flags: string, act: (file: number) => void): void {
  const file = openSync(path, flags, 0o600);
  try {
    act(file);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
