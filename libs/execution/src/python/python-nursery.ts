import { basename } from 'node:path';
import { type Clock, messageOf } from '@das/kernel';
import { cellFolder } from '../core/room-args.js';
import { NotStartedError } from '../ports/errors.js';
import { withoutMemory } from '../core/bounds.js';
import type { Command, LaunchedProcess, Launcher, Place } from '../ports/launch.js';
import { type ForkRequest, NurseryProcess, type NurseryRoom } from './nursery-process.js';
import { type WorkerModule, workerModules } from './package-files.js';

export interface NurseryOptions {
  /** One that {@link findPython} found. */
  readonly interpreter: string;
  /** Where workers' folders are. */
  readonly root: string;
  readonly clock: Clock;
  /** What is to be around it. Undefined: nothing. */
  readonly room?: NurseryRoom | undefined;
}

/**
 * Makes workers by forking a Python interpreter that is ready: 2 ms instead of 90, and no stall of this process (a fork of it costs 12 ms).
 * Programs that are no Python worker take the place of the forked interpreter. A nursery that dies takes its workers along; the next launch
 * starts another. Needs Linux.
 */
export class PythonNursery implements Launcher {
  #modules: readonly WorkerModule[] | undefined;
  #running: Promise<NurseryProcess> | undefined;
  #closed = false;

  constructor(private readonly options: NurseryOptions) {}

  /** @throws NotStartedError; nothing is left running, and the next launch tries anew. */
  async launch(command: Command, place: Place): Promise<LaunchedProcess> {
    if (this.#closed) throw closed();
    const nursery = await (this.#running ?? this.#open(place.mark));
    // It may have been closed while the nursery started.
    if (this.#closed) throw closed();
    return nursery.fork(this.#request(command, place));
  }

  /** The process that workers are forked from, or the one that made its room, if it runs. */
  async pid(): Promise<number | undefined> {
    return (await this.#running?.catch(() => undefined))?.pid;
  }

  /** Ends the nursery, and with it every worker that is left. */
  async close(): Promise<void> {
    this.#closed = true;
    const nursery = await this.#running?.catch(() => undefined);
    await nursery?.close();
  }

  #request({ file, args, env, forkable, borrows = false }: Command, place: Place): ForkRequest {
    const kept = this.options.room !== undefined;
    return {
      fork: place.mark,
      folder: kept ? basename(place.folder) : place.folder,
      uid: place.account?.uid ?? null,
      env: kept ? insideOf(env, place.folder) : env,
      exec: forkable === true ? undefined : [file, ...args],
      borrows,
      limits: withoutMemory(place.limits),
    };
  }

  /** One at a time, until it is gone or could not be started. */
  #open(mark: string): Promise<NurseryProcess> {
    const running = this.#start(mark);
    this.#running = running;
    running.catch(() => (this.#running = undefined));
    return running;
  }

  async #start(mark: string): Promise<NurseryProcess> {
    try {
      const { interpreter } = this.options;
      this.#modules ??= workerModules(interpreter);
      const onGone = (): void => void (this.#running = undefined);
      return await NurseryProcess.start({ ...this.options, modules: this.#modules, mark, onGone });
    } catch (error) {
      throw error instanceof NotStartedError ? error : new NotStartedError(messageOf(error));
    }
  }
}

/** The worker's folder has another name in its cell. */
const insideOf = (env: Readonly<Record<string, string>>, folder: string): Record<string, string> =>
  Object.fromEntries(Object.entries(env).map(([name, value]) => [name, value === folder ? cellFolder : value]));

const closed = (): NotStartedError => new NotStartedError('the nursery is closed');
