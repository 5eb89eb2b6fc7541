import { closeSync, constants, openSync, readSync, writeSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Command, LaunchedProcess, Place } from '../ports/launch.js';
import type { Furnished, Runtime, RuntimeWorker, WorkerPosition } from '../ports/runtime.js';
import { bootstrapText, type WorkerModule, workerModules } from './package-files.js';
import { PythonWorker } from './python-worker.js';

const progressFile = '.das-progress';
const progressBytes = 24;
/** Where the confirmations are counted. */
const confirmationsAt = 16;
const noItem = 2n ** 64n - 1n;

/** Python 3.9 or newer, plain functions in a plain script. */
export class PythonRuntime implements Runtime {
  readonly language = 'python';
  readonly #bootstrap = bootstrapText();
  readonly #modules: readonly WorkerModule[];

  /** `interpreter`: one that {@link findPython} found. @throws Error when it cannot compile the worker. */
  constructor(private readonly interpreter: string) {
    this.#modules = workerModules(interpreter);
  }

  command(place: Place): Command {
    return {
      file: this.interpreter,
      args: ['-I', '-X', 'utf8', '-c', this.#bootstrap],
      env: {
        // The interpreter's own folder first, so that a script of a virtual environment finds its tools.
        PATH: `${dirname(this.interpreter)}:/usr/local/bin:/usr/bin:/bin`,
        LANG: 'C.UTF-8',
        HOME: place.folder,
        TMPDIR: place.folder,
        DAS_WORKER: place.mark,
      },
    };
  }

  async furnish(place: Place): Promise<Furnished> {
    const path = join(place.folder, progressFile);
    const file = await open(path, constants.O_RDWR | constants.O_CREAT | constants.O_EXCL, 0o600);
    try {
      await file.truncate(progressBytes);
      if (place.account !== undefined) await file.chown(place.account.uid, place.account.gid);
    } finally {
      await file.close();
    }
    // Opened before the worker exists: what the script does to the name later does not matter.
    return progressIn(openSync(path, 'r+'));
  }

  attach(process: LaunchedProcess, place: Place, furnished: Furnished): RuntimeWorker {
    const modules = process.preloaded === true ? [] : this.#modules;
    return new PythonWorker(process, furnished, { modules, memoryBytes: place.memoryBytes });
  }
}

function progressIn(handle: number): Furnished {
  const buffer = Buffer.alloc(progressBytes);
  const confirmations = Buffer.alloc(8);
  let open = true;
  const position = (): WorkerPosition => {
    if (open) readSync(handle, buffer, 0, progressBytes, 0);
    const item = buffer.readBigUInt64LE(0);
    return {
      item: item === noItem || item > Number.MAX_SAFE_INTEGER ? undefined : Number(item),
      counter: Number(buffer.readBigUInt64LE(8)),
    };
  };
  const confirm = (): void => {
    confirmations.writeBigUInt64LE(confirmations.readBigUInt64LE() + 1n);
    if (open) writeSync(handle, confirmations, 0, confirmations.length, confirmationsAt);
  };
  return {
    position,
    confirm,
    close: async () => {
      if (open) closeSync(handle);
      open = false;
    },
  };
}
