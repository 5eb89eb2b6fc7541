import { type Clock, messageOf } from '@das/kernel';
import { NotStartedError } from '../ports/errors.js';
import type { Command, LaunchedProcess, Launcher, Place } from '../ports/launch.js';
import { NurseryProcess } from './nursery-process.js';
import { type WorkerModule, workerModules } from './package-files.js';

export interface NurseryOptions {
  /** One that {@link findPython} found. */
  readonly interpreter: string;
  /** Where workers' folders are. */
  readonly root: string;
  readonly clock: Clock;
}

/**
 * Makes Python workers by forking an interpreter that is ready: 2 ms instead of 90, and no stall of this process (a fork of it costs 12 ms).
 * A nursery that dies takes its workers along; the next launch starts another. Needs Linux.
 */
export class PythonNursery implements Launcher {
  #modules: readonly WorkerModule[] | undefined;
  #running: Promise<NurseryProcess> | undefined;
  #closed = false;

  constructor(private readonly options: NurseryOptions) {}

  /** @throws NotStartedError; nothing is left running, and the next launch tries anew. */
  async launch({ env }: Command, { mark, folder, account }: Place): Promise<LaunchedProcess> {
    if (this.#closed) throw closed();
    const nursery = await (this.#running ?? this.#open(mark));
    // It may have been closed while the nursery started.
    if (this.#closed) throw closed();
    return nursery.fork({ fork: mark, folder, uid: account?.uid ?? null, env });
  }

  /** The process that workers are forked from, if one runs. */
  async pid(): Promise<number | undefined> {
    return (await this.#running?.catch(() => undefined))?.pid;
  }

  /** Ends the nursery, and with it every worker that is left. */
  async close(): Promise<void> {
    this.#closed = true;
    const nursery = await this.#running?.catch(() => undefined);
    await nursery?.close();
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

const closed = (): NotStartedError => new NotStartedError('the nursery is closed');
