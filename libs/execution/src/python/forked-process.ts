import type { Socket } from 'node:net';
import process from 'node:process';
import type { Exit } from '../core/failures.js';
import type { BoundAs, LaunchedProcess } from '../ports/launch.js';
import type { StreamKind } from './nursery-sockets.js';

export type Streams = Readonly<Record<StreamKind, Socket>>;

/** What the first process of a worker's namespaces does for it. */
export type Keeper = Pick<LaunchedProcess, 'bind' | 'resize'>;

/** How it came to be. */
export interface Birth {
  /** It stands behind a keeper, whose pid we know: what is sent to that is passed on, and its end is the end of all. */
  readonly keeper: Keeper | undefined;
  readonly preloaded: boolean;
}

/** A worker that a nursery forked: the nursery waits for it, its streams are sockets. */
export class ForkedProcess implements LaunchedProcess {
  readonly preloaded: boolean;
  /** Its parent is the first process of its namespace. */
  readonly start: Readonly<Record<string, unknown>>;
  readonly channel: Socket;
  readonly stdout: Socket;
  readonly stderr: Socket;
  #over = false;

  constructor(
    readonly pid: number,
    streams: Streams,
    readonly exited: Promise<Exit>,
    private readonly birth: Birth,
  ) {
    this.preloaded = birth.preloaded;
    this.start = birth.keeper === undefined ? {} : { parent: 1 };
    this.channel = streams.c;
    this.stdout = streams.o;
    this.stderr = streams.e;
    void exited.then(() => {
      if (birth.keeper === undefined) this.signal('SIGKILL');
      this.#over = true;
    });
  }

  signal(signal: 'SIGTERM' | 'SIGKILL'): void {
    // A keeper leaves no group behind, and its number may be another's.
    if (this.#over && this.birth.keeper !== undefined) return;
    try {
      process.kill(this.birth.keeper === undefined ? -this.pid : this.pid, signal);
    } catch {
      // Nobody is left.
    }
  }

  async resize(scratchBytes: number): Promise<void> {
    await this.birth.keeper?.resize(scratchBytes);
  }

  async bind(folder: string, as: BoundAs): Promise<string> {
    return this.birth.keeper === undefined ? folder : this.birth.keeper.bind(folder, as);
  }
}
