import type { Socket } from 'node:net';
import type { Cancel, Clock } from '@das/kernel';
import type { Exit } from '../core/failures.js';
import { NotStartedError } from '../ports/errors.js';
import type { LaunchedProcess } from '../ports/launch.js';
import { ForkedProcess, type Keeper } from './forked-process.js';
import type { StreamKind } from './nursery-sockets.js';

/** A fork that has not called back by then failed (ms): the machine is far beyond its load. */
export const forkMs = 20_000;

/** A worker on its way: complete with its pid and three streams. */
interface Birth {
  pid?: number;
  readonly streams: Partial<Record<StreamKind, Socket>>;
  readonly exited: Promise<Exit>;
  readonly preloaded: boolean;
  readonly late: Cancel;
  readonly resolve: (process: LaunchedProcess) => void;
  readonly reject: (error: Error) => void;
}

/** The workers of one nursery, from the request on: those on their way, and those whose end is awaited. */
export class NurseryBirths {
  readonly #births = new Map<string, Birth>();
  readonly #exits = new Map<string, (exit: Exit) => void>();

  /** `end`: ends the process of a birth that failed. */
  constructor(
    private readonly clock: Clock,
    private readonly end: (pid: number) => void,
    /** The keeper of a worker. Undefined: there are none. */
    private readonly keeperOf?: (id: string) => Keeper,
  ) {}

  /** Resolves when the worker is complete. `preloaded`: it is a fork, and no other program. @throws NotStartedError; its streams are closed and it ends. */
  expect(id: string, preloaded = true): Promise<LaunchedProcess> {
    return new Promise((resolve, reject) => {
      const late = this.clock.timer(forkMs, () => this.failed(id, `it did not call back within ${forkMs} ms`));
      const exited = new Promise<Exit>((ended) => this.#exits.set(id, ended));
      this.#births.set(id, { streams: {}, exited, preloaded, late, resolve, reject });
    });
  }

  forked(id: string, pid: number): void {
    const birth = this.#births.get(id);
    if (birth === undefined) return this.end(pid);
    birth.pid = pid;
    this.#complete(id, birth);
  }

  /** A stream that nobody waits for is closed. */
  called(id: string, kind: StreamKind, socket: Socket): void {
    const birth = this.#births.get(id);
    if (birth === undefined || birth.streams[kind] !== undefined) return void socket.destroy();
    birth.streams[kind] = socket;
    this.#complete(id, birth);
  }

  failed(id: string, why: string): void {
    const birth = this.#births.get(id);
    if (birth === undefined) return;
    this.#settle(id, birth);
    this.#exits.delete(id);
    for (const stream of Object.values(birth.streams)) stream.destroy();
    if (birth.pid !== undefined) this.end(birth.pid);
    birth.reject(new NotStartedError(why));
  }

  exited(id: string, exit: Exit): void {
    this.failed(id, `it ended at once (${exit.signal ?? `exit code ${exit.code ?? '?'}`})`);
    this.#exits.get(id)?.(exit);
    this.#exits.delete(id);
  }

  /** The nursery is gone, and all its workers with it: the kernel sees to that. */
  lost(why: string): void {
    for (const id of [...this.#births.keys()]) this.failed(id, why);
    for (const id of [...this.#exits.keys()]) this.exited(id, { code: null, signal: 'SIGKILL' });
  }

  #complete(id: string, birth: Birth): void {
    const { pid, streams, exited, preloaded, resolve } = birth;
    const { c, o, e } = streams;
    if (pid === undefined || c === undefined || o === undefined || e === undefined) return;
    this.#settle(id, birth);
    resolve(new ForkedProcess(pid, { c, o, e }, exited, { keeper: this.keeperOf?.(id), preloaded }));
  }

  #settle(id: string, { late }: Birth): void {
    late();
    this.#births.delete(id);
  }
}
