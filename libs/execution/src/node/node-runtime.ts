import { scriptEnvironment } from '../launch/script-environment.js';
import type { Command, LaunchedProcess, Place } from '../ports/launch.js';
import type { Furnished, Runtime, RuntimeWorker } from '../ports/runtime.js';
import { FramedWorker } from '../wire/framed-worker.js';
import { progressFile } from '../wire/progress-file.js';
import { nodeBootstrap, nodeStart, nodeTool } from './node-files.js';

const mib = 1024 * 1024;
/** What the interpreter itself needs beside the script's memory: its code, its threads' stacks (bytes). */
const ownBytes = 256 * mib;

/**
 * A shell sets the limits, which JavaScript cannot, and becomes the interpreter. `ulimit -v` would be of no use: V8 reserves far more
 * addresses than it uses. Data (`-d`) counts what can be written. Options differ between shells: -u here is -p there.
 */
const confine =
  'exec 4>&2 2>/dev/null; ulimit -c 0; ulimit -f "$1"; ulimit -n 256; ulimit -d "$2"; ulimit -u "$3" || ulimit -p "$3"; umask 077; shift 3; exec "$@" 2>&4 4>&-';
const blockBytes = 512;

/** JavaScript, TypeScript and WebAssembly, by the very Node.js that runs this process. */
export class NodeRuntime implements Runtime {
  readonly language = 'node';
  readonly #bootstrap = nodeBootstrap();
  readonly #start = nodeStart();

  constructor(private readonly interpreter: string) {}

  command(place: Place): Command {
    const { memoryBytes, fileBytes, processes } = place.limits;
    const dataKb = Math.ceil((memoryBytes + ownBytes) / 1024);
    const most = [Math.floor(fileBytes / blockBytes), dataKb, processes].map(String);
    const heapMb = Math.floor(memoryBytes / mib);
    return {
      file: '/bin/sh',
      args: [
        ...['-c', confine, 'sh', ...most, this.interpreter],
        ...['--experimental-vm-modules', '--no-warnings', `--max-old-space-size=${heapMb}`, '-e', this.#bootstrap],
      ],
      mounts: [this.interpreter],
      env: scriptEnvironment(this.interpreter, place),
    };
  }

  furnish(place: Place): Promise<Furnished> {
    return progressFile(place);
  }

  attach(process: LaunchedProcess, _place: Place, furnished: Furnished): RuntimeWorker {
    return new FramedWorker(process, furnished, this.#start, nodeTool);
  }
}
