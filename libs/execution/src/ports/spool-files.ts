import type { AttemptKey } from '../core/attempt.js';

/** One output as it lies in the spool: a head that says what it is, and its bytes as they came. */
export interface SpoolFile {
  /** JSON; what it says is the caller's. */
  readonly head: string;
  readonly raw: readonly Uint8Array[];
}

/** A whole file that an earlier life left. Its raw bytes are checked when they are read. */
export interface FoundFile {
  readonly name: string;
  readonly head: string;
  /** On disk, all in all. */
  readonly bytes: number;
}

/** A file that is not what was written: it was set aside, and counts for nothing. */
export interface TornFile {
  readonly name: string;
  readonly why: string;
}

/** The disk did not take it. State: nothing of it is left on disk. */
export class SpoolWriteError extends Error {
  override readonly name = 'SpoolWriteError';
  constructor(
    message: string,
    /** The disk is full, or the account's share of it. */
    readonly noSpace: boolean,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/**
 * Role: keeps outputs over a restart of the executor, also one by SIGKILL, and over a crash of the machine. A file is there whole or not at all.
 * One user at a time.
 */
export interface SpoolFiles {
  /** What is there, and what was set aside. Never fails because of a file; @throws the system's error when the folder cannot be used. */
  open(): Promise<{ readonly found: readonly FoundFile[]; readonly torn: readonly TornFile[] }>;
  /** Resolves with its bytes on disk once it would survive a crash. @throws SpoolWriteError. */
  write(name: string, file: SpoolFile): Promise<number>;
  /** One that is torn is set aside. @throws the system's error when the disk cannot be read just now. */
  read(name: string): Promise<{ readonly head: string; readonly raw: Uint8Array } | TornFile>;
  /** For one whose head says nothing that can be used: it is never found again. */
  setAside(name: string): Promise<void>;
  /** One that is gone is fine. @throws the system's error. */
  remove(name: string): Promise<void>;
}

/** A file's name for an attempt, of characters that every file system takes. */
export const spoolName = (key: AttemptKey): string => `${key.replaceAll('/', '.').replaceAll(':', '_')}.out`;
/** What {@link spoolName} gives; names of anything else are refused. */
export const spoolNamePattern = /^[A-Za-z0-9_.~-]{1,200}\.out$/;
