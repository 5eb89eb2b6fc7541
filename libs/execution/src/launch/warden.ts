import { type ChildProcess, spawn } from 'node:child_process';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { type Grouped, groupedSchema } from '@das/contracts';
import type { Clock } from '@das/kernel';
import { z } from 'zod';
import type { PlaceLimits } from '../core/bounds.js';
import { NotStartedError } from '../ports/errors.js';
import { wardenPath } from '../python/package-files.js';

const counts = { memory: z.number().int(), processes: z.number().int() };
const answerSchema = z.union([
  z.object({ claimed: z.number().int(), uid: z.number().int().min(1).nullable() }),
  z.object({ ended: z.number().int(), ...counts }),
  z.object({ struck: z.number().int(), ...counts }),
  z.object({ limited: z.number().int() }),
  z.object({ grouped: groupedSchema, why: z.array(z.string()) }),
]);

/** How often a cgroup stopped something of a worker; zero where there are no cgroups. */
export interface Struck {
  readonly memory: number;
  readonly processes: number;
}
const notStruck: Struck = { memory: 0, processes: 0 };

/** What the kernel counts for a worker and all that it starts, where it can. */
export type GroupLimits = Pick<PlaceLimits, 'memoryBytes' | 'processes'>;

/** What the warden is told of a worker. */
export interface Watched {
  readonly pid: number;
  readonly uid: number | null;
  readonly folder: string;
  readonly mark: string;
  readonly limits: GroupLimits;
}

/** Accounts of workers: so many from the base on. */
export const accountsMax = 1_000;
/** The account that looks for an interpreter: after those of workers, whose processes may be ended by any warden of the machine. */
export const probeUid = (uidBase: number): number => uidBase + accountsMax;

interface Claim {
  readonly resolve: (uid: number) => void;
  readonly reject: (error: Error) => void;
}
const noAccount = (): Error => new NotStartedError('no free account for scripts');

/** Lost wardens are replaced; one that dies again and again is a broken machine. */
const restartsMax = 100;
/** It ends what is left within a second or two; one that does not end by itself is killed. */
export const closeMs = 10_000;

export interface WardenOptions {
  readonly clock: Clock;
  /** Told why control groups do not bound everything, in words: at the start, and when a worker could not be put into its group. */
  readonly onUnbounded: (why: readonly string[]) => void;
}

/**
 * A small process that ends what workers leave behind, also when this process is killed: everything of the worker's account (or mark),
 * and its folder. It lends the accounts, so that no two workers of the machine have the same.
 */
export class Warden {
  #child: ChildProcess;
  #closing = false;
  #lost = false;
  #restarts = 0;
  #claims = 0;
  readonly #claimed = new Map<number, Claim>();
  readonly #ended = new Map<number, (struck: Struck) => void>();
  /** Asked, and not yet answered; answers come in the order of the questions. */
  #asked: Array<(struck: Struck) => void> = [];
  readonly #watched = new Map<number, Watched>();
  #exited!: Promise<void>;
  #grouped: readonly Grouped[] | undefined;

  constructor(
    private readonly interpreter: string,
    private readonly uidBase: number,
    /** Where workers' folders are; nobody else's. */
    private readonly scratch: string,
    private readonly options: WardenOptions,
  ) {
    this.#child = this.#start();
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** What is bounded for every worker with all that it starts; undefined until it was looked at. */
  get grouped(): readonly Grouped[] | undefined {
    return this.#grouped;
  }

  /**
   * An account that nobody else uses, free again when its worker has ended; null when this process may not change accounts.
   * @throws NotStartedError when there is none: a script never runs as root instead.
   */
  claim(): Promise<number | null> {
    if (process.getuid?.() !== 0) return Promise.resolve(null);
    if (this.#closing || this.#lost) return Promise.reject(noAccount());
    const claim = (this.#claims += 1);
    return new Promise((resolve, reject) => {
      this.#claimed.set(claim, { resolve, reject });
      this.#tell({ claim });
    });
  }

  /** Gives an account back that no worker came to use. */
  release(uid: number): void {
    this.#tell({ release: uid });
  }

  watch(worker: Watched): void {
    this.#watched.set(worker.pid, worker);
    this.#tell(watchLine(worker));
  }

  /** Lowers what a living worker may use, and all that it starts. Resolves when it is so, as far as it can be. */
  async limit(pid: number, limits: GroupLimits): Promise<void> {
    const worker = this.#watched.get(pid);
    if (worker === undefined) return;
    const { memoryBytes, processes } = limits;
    if (worker.limits.memoryBytes === memoryBytes && worker.limits.processes === processes) return;
    const lowered = { memoryBytes, processes };
    this.#watched.set(pid, { ...worker, limits: lowered });
    await this.#ask({ limit: pid, limits: lowered });
  }

  /** What struck a living worker so far. */
  struck(pid: number): Promise<Struck> {
    return this.#watched.has(pid) ? this.#ask({ struck: pid }) : Promise.resolve(notStruck);
  }

  /** Resolves when everything of the worker is gone, with what struck it. */
  end(pid: number): Promise<Struck> {
    if (!this.#watched.has(pid) || this.#lost) return Promise.resolve(notStruck);
    return new Promise((resolve) => {
      this.#ended.set(pid, resolve);
      this.#tell({ end: pid });
    });
  }

  /** Ends what is left, and the warden. Resolves when it is gone. */
  async close(): Promise<void> {
    this.#closing = true;
    this.#child.stdin?.end();
    const cancel = this.options.clock.timer(closeMs, () => void this.#child.kill('SIGKILL'));
    await this.#exited.finally(cancel);
  }

  #start(): ChildProcess {
    const child = spawn(
      this.interpreter,
      ['-I', '-S', '-B', wardenPath, String(this.uidBase), String(accountsMax), this.scratch],
      {
        // Not of our process group: it must outlive us.
        detached: true,
        cwd: '/',
        env: { LANG: 'C.UTF-8', PATH: '/usr/local/bin:/usr/bin:/bin' },
        stdio: ['pipe', 'pipe', 'ignore'],
      },
    );
    this.#exited = new Promise((resolve) => {
      child.on('error', () => resolve());
      child.once('exit', () => resolve());
    });
    child.stdin?.on('error', () => undefined);
    // One that could not be started may lack its streams.
    if (child.pid !== undefined && child.stdout !== null)
      createInterface({ input: child.stdout }).on('line', (line) => this.#hear(line));
    void this.#exited.then(() => this.#replace());
    return child;
  }

  #hear(line: string): void {
    const answer = answerSchema.parse(JSON.parse(line));
    if ('grouped' in answer) return this.#hearGrouped(answer);
    if ('claimed' in answer) {
      const claim = this.#claimed.get(answer.claimed);
      this.#claimed.delete(answer.claimed);
      if (answer.uid === null) claim?.reject(noAccount());
      else claim?.resolve(answer.uid);
      return;
    }
    if (!('ended' in answer)) return this.#asked.shift()?.('struck' in answer ? answer : notStruck);
    this.#watched.delete(answer.ended);
    this.#ended.get(answer.ended)?.(answer);
    this.#ended.delete(answer.ended);
  }

  #hearGrouped({ grouped, why }: { readonly grouped: readonly Grouped[]; readonly why: readonly string[] }): void {
    this.#grouped = grouped;
    if (why.length > 0) this.options.onUnbounded(why);
  }

  /** A killed warden loses what it knew; all of it is told again. */
  #replace(): void {
    this.#answerAll();
    if (this.#closing || (this.#restarts += 1) > restartsMax) return this.#abandon();
    this.#child = this.#start();
    for (const worker of this.#watched.values()) this.#tell(watchLine(worker));
    for (const pid of this.#ended.keys()) this.#tell({ end: pid });
    for (const claim of this.#claimed.keys()) this.#tell({ claim });
  }

  #abandon(): void {
    this.#lost = true;
    for (const resolve of this.#ended.values()) resolve(notStruck);
    for (const { reject } of this.#claimed.values()) reject(noAccount());
    this.#ended.clear();
    this.#claimed.clear();
  }

  #ask(question: unknown): Promise<Struck> {
    if (this.#lost || this.#closing) return Promise.resolve(notStruck);
    return new Promise((resolve) => {
      this.#asked.push(resolve);
      this.#tell(question);
    });
  }

  /** Who would have answered is gone, and what it counted. */
  #answerAll(): void {
    for (const resolve of this.#asked.splice(0)) resolve(notStruck);
  }

  #tell(message: unknown): void {
    this.#child.stdin?.write(`${JSON.stringify(message)}\n`);
  }
}

const watchLine = ({ pid, ...rest }: Watched): unknown => ({ watch: pid, ...rest });
