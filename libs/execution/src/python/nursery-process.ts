import type { ChildProcess } from 'node:child_process';
import { constants } from 'node:os';
import { isAbsolute, relative } from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline';
import type { Clock } from '@das/kernel';
import { z } from 'zod';
import type { PlaceLimits } from '../core/bounds.js';
import type { Exit } from '../core/failures.js';
import { cellBound } from '../core/room-args.js';
import { spawned } from '../launch/spawned.js';
import { nextTurn } from '../launch/turn.js';
import { NotStartedError } from '../ports/errors.js';
import type { BoundAs, LaunchedProcess } from '../ports/launch.js';
import type { Keeper } from './forked-process.js';
import { NurseryBirths } from './nursery-births.js';
import { NurseryQuestions } from './nursery-questions.js';
import { NurserySockets } from './nursery-sockets.js';
import { type WorkerModule, nurseryText } from './package-files.js';

const noticeSchema = z.union([
  z.object({ forked: z.string(), pid: z.number().int().min(1) }),
  z.object({ failed: z.string(), why: z.string() }),
  z.object({ answered: z.string(), why: z.string().nullable() }),
  z.object({ exited: z.number().int(), code: z.number().int().nullable(), signal: z.number().int().nullable() }),
]);

/** A nursery that was told to end is killed after so long (ms). */
const endMs = 2_000;
/** Of what it says before it dies (characters). */
const lastWordsChars = 500;

export interface NurseryStart {
  readonly interpreter: string;
  /** Where workers' folders are; the socket lies there. */
  readonly root: string;
  readonly modules: readonly WorkerModule[];
  readonly mark: string;
  readonly clock: Clock;
  /** The room around it. Undefined: none. */
  readonly room?: NurseryRoom | undefined;
  /** Told when it is gone, before its workers are. */
  readonly onGone: () => void;
}

/** What makes the room, and what the nursery must know of it. */
export interface NurseryRoom {
  readonly file: string;
  readonly args: readonly string[];
  /** The folder of code that it was made with. */
  readonly codeRoot: string;
  readonly network: boolean;
  readonly users: boolean;
  readonly proc: boolean;
  /** Folders of the host that its workers may use. */
  readonly shared: readonly string[];
}

/** What the nursery is asked for. */
export interface ForkRequest {
  readonly fork: string;
  /** In a room: its name in the folder of scratch. */
  readonly folder: string;
  readonly uid: number | null;
  readonly env: Readonly<Record<string, string>>;
  /** Another program, with its name and arguments. */
  readonly exec?: readonly string[] | undefined;
  /** That program may borrow files of its keeper, as a worker that is forked may. */
  readonly borrows: boolean;
  /** Those of another program, and the size of any worker's scratch; the rest a worker of ours hears in its first frame. */
  readonly limits: PlaceLimits;
}

/** One interpreter that becomes workers by fork, and the workers that came of it. */
export class NurseryProcess {
  /** Resolves when it is gone, its workers are told as gone, and its socket is removed. */
  readonly gone: Promise<void>;
  readonly #births: NurseryBirths;
  /** Ids of living workers by their pid. */
  readonly #names = new Map<number, string>();
  readonly #questions = new NurseryQuestions();
  readonly #onGone: () => void;
  #lastWords = '';
  #lost: string | undefined;

  private constructor(
    private readonly child: ChildProcess,
    private readonly sockets: NurserySockets,
    private readonly clock: Clock,
    { onGone, room }: Pick<NurseryStart, 'onGone' | 'room'>,
  ) {
    this.#onGone = onGone;
    const keeperOf = room && ((id: string) => this.#keeper(id, room.codeRoot));
    this.#births = new NurseryBirths(clock, (pid) => this.#end(pid), keeperOf);
    sockets.onCall = (id, kind, socket) => this.#births.called(id, kind, socket);
    // A pipe, not a file: the workers' own streams take its place, and theirs cannot be sought in.
    child.stderr?.on('data', (words: Buffer) => this.#keep(words));
    child.stdin?.on('error', () => undefined);
    if (child.stdout !== null) createInterface({ input: child.stdout }).on('line', (line) => this.#hear(line));
    const exited = new Promise<Exit>((resolve) => child.once('exit', (code, signal) => resolve({ code, signal })));
    this.gone = exited.then((exit) => this.#over(exit));
  }

  /** @throws NotStartedError or the system's error; nothing is left running or open. */
  static async start({ interpreter, root, modules, mark, clock, onGone, room }: NurseryStart): Promise<NurseryProcess> {
    const sockets = await NurserySockets.listen(root, mark);
    try {
      const args = ['-I', '-X', 'utf8', '-c', nurseryText(), sockets.name];
      const env = { LANG: 'C.UTF-8', PATH: '/usr/local/bin:/usr/bin:/bin' };
      const command =
        room === undefined ? [interpreter, ...args] : [room.file, ...room.args, '--', interpreter, ...args];
      const child = await spawned(command[0] ?? '', command.slice(1), { cwd: root, env, stdio: 'pipe' });
      const nursery = new NurseryProcess(child, sockets, clock, { onGone, room });
      nursery.#tell({ modules, room: room === undefined ? null : roomWords(room) });
      return nursery;
    } catch (error) {
      sockets.close();
      throw error;
    }
  }

  get pid(): number | undefined {
    return this.child.pid;
  }

  /** @throws NotStartedError; nothing of the worker is left. */
  fork(request: ForkRequest): Promise<LaunchedProcess> {
    if (this.#lost !== undefined) return Promise.reject(new NotStartedError(this.#lost));
    const born = this.#births.expect(request.fork, request.exec === undefined);
    this.#tell(request);
    return born;
  }

  async #bind(id: string, codeRoot: string, folder: string, as: BoundAs): Promise<string> {
    const name = relative(codeRoot, folder);
    if (name === '' || name.startsWith('..') || isAbsolute(name))
      throw new NotStartedError(`${folder} is not in the folder of code, ${codeRoot}`);
    await this.#asked({ bind: name, as, of: id });
    return cellBound[as];
  }

  #keeper(id: string, codeRoot: string): Keeper {
    return {
      bind: (folder, as) => this.#bind(id, codeRoot, folder, as),
      resize: (bytes) => this.#asked({ resize: bytes, of: id }),
    };
  }

  async #asked(question: { readonly of: string } & Record<string, unknown>): Promise<void> {
    if (this.#lost !== undefined) throw new NotStartedError(this.#lost);
    this.#tell(question);
    await this.#questions.ask(question.of);
  }

  /** Ends it, and with it every worker that is left. */
  async close(): Promise<void> {
    this.child.stdin?.end();
    const stop = this.clock.timer(endMs, () => this.child.kill('SIGKILL'));
    await this.gone;
    stop();
  }

  #tell(message: unknown): void {
    this.child.stdin?.write(`${JSON.stringify(message)}\n`);
  }

  #keep(words: Buffer): void {
    this.#lastWords = (this.#lastWords + words.toString()).slice(-lastWordsChars);
  }

  /** What it says beside its notices cannot be believed: it ends, and another takes its place. */
  #hear(line: string): void {
    const notice = noticeIn(line);
    if (notice === undefined) return void this.child.kill('SIGKILL');
    if ('answered' in notice) return this.#questions.answered(notice.answered, notice.why);
    if ('failed' in notice) return this.#births.failed(notice.failed, notice.why);
    if ('forked' in notice) {
      this.#names.set(notice.pid, notice.forked);
      return this.#births.forked(notice.forked, notice.pid);
    }
    const id = this.#names.get(notice.exited);
    this.#names.delete(notice.exited);
    if (id === undefined) return;
    this.#questions.answered(id, 'the worker ended');
    this.#births.exited(id, { code: notice.code, signal: nameOf(notice.signal) });
  }

  /** A pid may be another's once its end was told. */
  #end(pid: number): void {
    if (!this.#names.has(pid)) return;
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It ended by itself.
    }
  }

  async #over({ code, signal }: Exit): Promise<void> {
    // What it wrote before its end is still on its way.
    await nextTurn();
    const words = this.#lastWords.trim().split('\n').at(-1) ?? '';
    this.#lost = `the nursery ended (${signal ?? `exit code ${code ?? '?'}`})${words === '' ? '' : `: ${words}`}`;
    this.sockets.close();
    // What else may hold the other ends of its streams is no nursery.
    for (const stream of this.child.stdio) stream?.destroy();
    this.#names.clear();
    this.#onGone();
    this.#questions.lost(this.#lost);
    this.#births.lost(this.#lost);
  }
}

const roomWords = ({ network, users, proc, shared }: NurseryRoom): object => ({ network, users, proc, shared });

function noticeIn(line: string): z.output<typeof noticeSchema> | undefined {
  try {
    return noticeSchema.parse(JSON.parse(line));
  } catch {
    return undefined;
  }
}

function nameOf(signal: number | null): string | null {
  if (signal === null) return null;
  return Object.entries(constants.signals).find(([, number]) => number === signal)?.[0] ?? `signal ${signal}`;
}
