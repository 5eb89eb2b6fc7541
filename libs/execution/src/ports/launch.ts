import type { Readable } from 'node:stream';
import type { Duplex } from 'node:stream';
import type { PlaceLimits } from '../core/bounds.js';
import type { Exit } from '../core/failures.js';

/** A program as it is to be started. */
export interface Command {
  readonly file: string;
  readonly args: readonly string[];
  /** The whole environment; nothing is inherited. */
  readonly env: Readonly<Record<string, string>>;
  /** It is the Python worker: who has one ready may fork that instead. */
  readonly forkable?: boolean;
  /** It knows how to borrow files of its keeper, where it has one (python/das_worker/spool.py). */
  readonly borrows?: boolean;
  /** Files and folders of the host that it needs beyond those of the system; read-only, at the same path. */
  readonly mounts?: readonly string[];
}

/** Where and as whom a worker runs. */
export interface Place {
  /** Private folder, mode 0700, owned by the account; working directory and HOME. */
  readonly folder: string;
  /** Undefined: the executor's own account. No two places of a machine share one. */
  readonly account: { readonly uid: number; readonly gid: number } | undefined;
  /** In the environment of everything that the worker starts. */
  readonly mark: string;
  /** The most that any job may use here; the runtime applies what it can. */
  readonly limits: PlaceLimits;
  /** Its job may use the network. @default false */
  readonly network?: boolean;
}

/** What a folder of the code cache is to a worker. */
export type BoundAs = 'code' | 'packages';

/** A started process with its own process group. */
export interface LaunchedProcess {
  readonly pid: number;
  /** It was forked from an interpreter that has the worker's code already. */
  readonly preloaded?: boolean;
  /** What the worker must know of how it was made; goes into its first frame. */
  readonly start?: Readonly<Record<string, unknown>>;
  /** The way to the worker: file descriptor 3 there. */
  readonly channel: Duplex;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** Resolves when the process itself has ended, whoever still holds its pipes. */
  readonly exited: Promise<Exit>;
  /** To the whole process group; a group that is gone is fine. */
  signal(signal: 'SIGTERM' | 'SIGKILL'): void;
  /**
   * Shows a folder of the code cache to the worker, read-only, one of each kind; resolves to its path there. Not while a script runs.
   * @throws NotStartedError; the worker sees what it saw before.
   */
  bind(folder: string, as: BoundAs): Promise<string>;
  /** Bounds all files of the worker together (bytes), where they are in memory of its sandbox; elsewhere nothing is done. @throws NotStartedError. */
  resize(scratchBytes: number): Promise<void>;
}

/**
 * Role: starts a process at its place: directly, or inside a sandbox (then its folder may be another than the place's; HOME names it). stdin is empty, stdout and stderr are pipes, 3 is a socket.
 * @throws when it cannot be started; nothing is left running.
 */
export interface Launcher {
  launch(command: Command, place: Place): Promise<LaunchedProcess>;
}
