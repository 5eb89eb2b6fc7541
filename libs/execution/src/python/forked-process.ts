import type { Socket } from 'node:net';
import process from 'node:process';
import type { Exit } from '../core/failures.js';
import type { LaunchedProcess } from '../ports/launch.js';
import type { StreamKind } from './nursery-sockets.js';

export type Streams = Readonly<Record<StreamKind, Socket>>;

/** A worker that a nursery forked: the nursery waits for it, its streams are sockets. */
export class ForkedProcess implements LaunchedProcess {
  readonly preloaded = true;
  readonly channel: Socket;
  readonly stdout: Socket;
  readonly stderr: Socket;

  constructor(
    readonly pid: number,
    streams: Streams,
    readonly exited: Promise<Exit>,
  ) {
    this.channel = streams.c;
    this.stdout = streams.o;
    this.stderr = streams.e;
    void exited.then(() => this.signal('SIGKILL'));
  }

  signal(signal: 'SIGTERM' | 'SIGKILL'): void {
    try {
      process.kill(-this.pid, signal);
    } catch {
      // Nobody of the group is left.
    }
  }
}
