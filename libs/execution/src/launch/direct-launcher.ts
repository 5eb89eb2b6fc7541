import type { ChildProcess } from 'node:child_process';
import process from 'node:process';
import type { Duplex, Readable } from 'node:stream';
import type { Exit } from '../core/failures.js';
import type { Command, LaunchedProcess, Launcher, Place } from '../ports/launch.js';
import { spawned } from './spawned.js';

/** Starts processes as they are: own process group, own account where there is one, nothing between them and the machine. */
export class DirectLauncher implements Launcher {
  async launch(command: Command, place: Place): Promise<LaunchedProcess> {
    const child = await spawned(command.file, command.args, {
      cwd: place.folder,
      env: { ...command.env },
      // A group of its own: what the script starts ends with it.
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
      ...place.account,
    });
    return new DirectProcess(child);
  }
}

class DirectProcess implements LaunchedProcess {
  readonly pid: number;
  readonly channel: Duplex;
  readonly stdout: Readable;
  readonly stderr: Readable;
  readonly exited: Promise<Exit>;

  constructor(child: ChildProcess) {
    this.pid = child.pid ?? 0;
    this.channel = child.stdio[3] as Duplex;
    this.stdout = child.stdio[1] as Readable;
    this.stderr = child.stdio[2] as Readable;
    this.exited = new Promise((resolve) => child.once('exit', (code, signal) => resolve({ code, signal })));
    void this.exited.then(() => this.signal('SIGKILL'));
  }

  async bind(folder: string): Promise<string> {
    return folder;
  }
  async resize(): Promise<void> {}

  signal(signal: 'SIGTERM' | 'SIGKILL'): void {
    try {
      process.kill(-this.pid, signal);
    } catch {
      // Nobody of the group is left.
    }
  }
}
