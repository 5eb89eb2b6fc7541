import { scriptEnvironment } from '../launch/script-environment.js';
import type { Command, LaunchedProcess, Place } from '../ports/launch.js';
import type { Furnished, Runtime, RuntimeWorker } from '../ports/runtime.js';
import { bootstrapText, type WorkerModule, workerModules } from './package-files.js';
import { FramedWorker } from '../wire/framed-worker.js';
import { progressFile } from '../wire/progress-file.js';

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
      forkable: true,
      env: scriptEnvironment(this.interpreter, place),
    };
  }

  furnish(place: Place): Promise<Furnished> {
    return progressFile(place);
  }

  attach(process: LaunchedProcess, place: Place, furnished: Furnished): RuntimeWorker {
    const modules = process.preloaded === true ? [] : this.#modules;
    const { limits, account } = place;
    return new FramedWorker(process, furnished, { modules, limits, ownAccount: account !== undefined });
  }
}
