import { type ChildProcess, spawn } from 'node:child_process';
import type { Socket } from 'node:net';
import { constants } from 'node:os';
import process from 'node:process';
import { createInterface } from 'node:readline';
import type { Clock } from '@das/kernel';
import { z } from 'zod';
import type { Exit } from '../core/failures.js';
import { NotStartedError } from '../ports/errors.js';
import type { Command, LaunchedProcess, Launcher, Place } from '../ports/launch.js';
import { NurserySockets, type StreamKind } from './nursery-sockets.js';
import { nurseryText, workerModules } from './package-files.js';

const noticeSchema = z.union([
  z.object({ forked: z.string(), pid: z.number().int().min(1) }),
  z.object({ exited: z.number().int(), code: z.number().int().nullable(), signal: z.number().int().nullable() }),
]);

/** A fork that has not called back by then failed (ms): the machine is far beyond its load. */
const forkMs = 20_000;

/** A worker on its way: complete with its pid and three streams. */
interface Birth {
  pid?: number;
  readonly streams: Map<StreamKind, Socket>;
  readonly done: () => void;
  readonly failed: (why: string) => void;
}

/**
 * Makes Python workers by forking an interpreter that is ready: 2 ms instead of 90, and no stall of this process (a fork of it costs 12 ms).
 * A nursery that dies takes its workers along; the next launch starts another.
 */
export class PythonNursery implements Launcher {
  readonly #births = new Map<string, Birth>();
  readonly #exits = new Map<string, (exit: Exit) => void>();
  /** Ids of workers by their pid. */
  readonly #names = new Map<number, string>();
  #running: Promise<Running> | undefined;
  #closed = false;

  constructor(
    private readonly options: { readonly interpreter: string; readonly root: string; readonly clock: Clock },
  ) {}

  async launch(command: Command, place: Place): Promise<LaunchedProcess> {
    if (this.#closed) throw new NotStartedError('the nursery is closed');
    const { child } = await (this.#running ??= this.#start(place.mark));
    const request = { fork: place.mark, folder: place.folder, uid: place.account?.uid ?? null, env: command.env };
    return this.#born(place.mark, () => child.stdin?.write(`${JSON.stringify(request)}\n`));
  }

  /** Ends the nursery, and with it every worker that is left. */
  async close(): Promise<void> {
    this.#closed = true;
    const running = await this.#running?.catch(() => undefined);
    running?.child.stdin?.end();
    await running?.gone;
  }

  async #start(mark: string): Promise<Running> {
    const { interpreter, root } = this.options;
    const sockets = new NurserySockets(root, mark, (id, kind, socket) => this.#called(id, kind, socket));
    await sockets.listen();
    const args = ['-I', '-X', 'utf8', '-c', nurseryText(), sockets.name, String(process.pid)];
    const env = { LANG: 'C.UTF-8', PATH: '/usr/local/bin:/usr/bin:/bin' };
    const child = spawn(interpreter, args, { cwd: root, env, stdio: 'pipe' });
    // A pipe, not a file: the workers' own streams take its place, and theirs cannot be sought in.
    child.stderr.resume();
    child.stdin.on('error', () => undefined);
    createInterface({ input: child.stdout }).on('line', (line) => this.#hear(line));
    child.stdin.write(`${JSON.stringify({ modules: workerModules(interpreter) })}\n`);
    const gone = new Promise<void>((resolve) => {
      child.once('error', () => resolve());
      child.once('exit', () => resolve());
    });
    void gone.then(() => this.#lost(sockets));
    return { child, gone };
  }

  #born(id: string, ask: () => void): Promise<LaunchedProcess> {
    return new Promise((resolve, reject) => {
      const exited = new Promise<Exit>((ended) => this.#exits.set(id, ended));
      const streams: Birth['streams'] = new Map();
      const settle = (): void => {
        late();
        this.#births.delete(id);
      };
      const failed = (why: string): void => {
        settle();
        this.#exits.delete(id);
        for (const stream of streams.values()) stream.destroy();
        reject(new NotStartedError(why));
      };
      const late = this.options.clock.timer(forkMs, () => failed(`it did not call back within ${forkMs} ms`));
      const birth: Birth = {
        streams,
        failed,
        done: () => {
          settle();
          resolve(new ForkedProcess(birth.pid ?? 0, streams, exited));
        },
      };
      this.#births.set(id, birth);
      ask();
    });
  }

  #called(id: string, kind: StreamKind, socket: Socket): void {
    const birth = this.#births.get(id);
    if (birth === undefined) return void socket.destroy();
    birth.streams.set(kind, socket);
    this.#complete(birth);
  }

  #complete(birth: Birth): void {
    if (birth.pid !== undefined && birth.streams.size === 3) birth.done();
  }

  #hear(line: string): void {
    const notice = noticeSchema.parse(JSON.parse(line));
    if ('forked' in notice) {
      this.#names.set(notice.pid, notice.forked);
      const birth = this.#births.get(notice.forked);
      if (birth === undefined) return;
      birth.pid = notice.pid;
      return this.#complete(birth);
    }
    const id = this.#names.get(notice.exited);
    this.#names.delete(notice.exited);
    if (id !== undefined) this.#ended(id, { code: notice.code, signal: nameOf(notice.signal) });
  }

  #ended(id: string, exit: Exit): void {
    this.#births.get(id)?.failed(`it ended at once (${exit.signal ?? `exit code ${exit.code}`})`);
    this.#exits.get(id)?.(exit);
    this.#exits.delete(id);
  }

  /** Its workers die with it: the kernel sees to that. */
  #lost(sockets: NurserySockets): void {
    this.#running = undefined;
    sockets.close();
    this.#names.clear();
    for (const id of [...this.#exits.keys()]) this.#ended(id, { code: null, signal: 'SIGKILL' });
  }
}

interface Running {
  readonly child: ChildProcess;
  readonly gone: Promise<void>;
}

class ForkedProcess implements LaunchedProcess {
  readonly preloaded = true;
  readonly channel: Socket;
  readonly stdout: Socket;
  readonly stderr: Socket;

  constructor(
    readonly pid: number,
    streams: ReadonlyMap<StreamKind, Socket>,
    readonly exited: Promise<Exit>,
  ) {
    const [channel, stdout, stderr] = [streams.get('c'), streams.get('o'), streams.get('e')];
    if (channel === undefined || stdout === undefined || stderr === undefined)
      throw new NotStartedError('a stream is missing');
    this.channel = channel;
    this.stdout = stdout;
    this.stderr = stderr;
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

function nameOf(signal: number | null): string | null {
  if (signal === null) return null;
  return Object.entries(constants.signals).find(([, number]) => number === signal)?.[0] ?? `signal ${signal}`;
}
