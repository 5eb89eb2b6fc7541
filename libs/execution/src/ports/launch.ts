import type { Readable } from 'node:stream';
import type { Duplex } from 'node:stream';
import type { Exit } from '../core/failures.js';

/** A program as it is to be started. */
export interface Command {
  readonly file: string;
  readonly args: readonly string[];
  /** The whole environment; nothing is inherited. */
  readonly env: Readonly<Record<string, string>>;
}

/** Where and as whom a worker runs. */
export interface Place {
  /** Private folder, mode 0700, owned by the account; working directory and HOME. */
  readonly folder: string;
  /** Undefined: the executor's own account. No two places of a machine share one. */
  readonly account: { readonly uid: number; readonly gid: number } | undefined;
  /** In the environment of everything that the worker starts. */
  readonly mark: string;
  /** Address space of the worker (bytes); the runtime applies it. */
  readonly memoryBytes: number;
}

/** A started process with its own process group. */
export interface LaunchedProcess {
  readonly pid: number;
  /** It was forked from an interpreter that has the worker's code already. */
  readonly preloaded?: boolean;
  /** The way to the worker: file descriptor 3 there. */
  readonly channel: Duplex;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** Resolves when the process itself has ended, whoever still holds its pipes. */
  readonly exited: Promise<Exit>;
  /** To the whole process group; a group that is gone is fine. */
  signal(signal: 'SIGTERM' | 'SIGKILL'): void;
}

/**
 * Role: starts a process at its place: directly, or inside a sandbox. stdin is empty, stdout and stderr are pipes, 3 is a socket.
 * @throws when it cannot be started; nothing is left running.
 */
export interface Launcher {
  launch(command: Command, place: Place): Promise<LaunchedProcess>;
}
