import { scriptEnvironment } from '../launch/script-environment.js';
import type { Command, LaunchedProcess, Place } from '../ports/launch.js';
import type { Furnished, Runtime, RuntimeWorker } from '../ports/runtime.js';
import { FramedWorker } from '../wire/framed-worker.js';
import { progressFile } from '../wire/progress-file.js';
import type { Venv } from './find-venv.js';
import { untriedBootstrapText, workerTexts } from './package-files.js';

/**
 * Python of a user's choice: anybody may have written it, so it runs where scripts run and nowhere else. It is no nursery, which has rights, and
 * compiles nothing for us: each worker is an interpreter of its own that takes the modules as text.
 */
export class VenvRuntime implements Runtime {
  readonly language = 'python';
  readonly #bootstrap = untriedBootstrapText();
  readonly #modules = workerTexts();

  constructor(private readonly venv: Venv) {}

  command(place: Place): Command {
    const { interpreter, folder } = this.venv;
    return {
      file: interpreter,
      args: ['-I', '-X', 'utf8', '-c', this.#bootstrap],
      borrows: true,
      env: { ...scriptEnvironment(interpreter, place), VIRTUAL_ENV: folder },
    };
  }

  furnish(place: Place): Promise<Furnished> {
    return progressFile(place);
  }

  attach(process: LaunchedProcess, { limits, account }: Place, furnished: Furnished): RuntimeWorker {
    const start = { modules: this.#modules, texts: true, limits, ownAccount: account !== undefined };
    return new FramedWorker(process, furnished, start);
  }
}
