import type { Language } from '@das/contracts';
import type { Cancel, Clock } from '@das/kernel';
import { NotStartedError } from '../ports/errors.js';
import type { Inspection, ScriptText } from '../ports/runtime.js';
import type { PooledWorker } from './pooled-worker.js';
import type { Binding, WorkerPool } from './worker-pool.js';

/** Workers of one kind, and the languages that they take. */
export interface Family {
  readonly languages: readonly Language[];
  readonly pool: WorkerPool;
  /** Why there are none of them on this node; absent: there are. */
  readonly missing?: string | undefined;
}

/** Which job a worker is for, and what its script is written in. */
export interface LanguageBinding extends Binding {
  readonly language: Language;
}

/** A node that has just started has other things to do (ms). */
const laterMs = 3_000;

/** The pools of a node, one per kind of worker. The first family is what the node cannot be without; the others start a little later. */
export class WorkerPools {
  readonly #owners = new WeakMap<PooledWorker, WorkerPool>();
  readonly #opening: Array<Promise<void>> = [];
  #cancel: Cancel = () => undefined;

  constructor(
    private readonly families: readonly [Family, ...Family[]],
    private readonly clock: Clock,
    /** Told when a later family cannot start; each job of it tries anew. */
    private readonly onFault: (error: unknown) => void,
  ) {}

  /** Resolves when the first family has a worker. @throws NotStartedError when it cannot have one; to be closed then, too. */
  async open(): Promise<void> {
    const [first, ...later] = this.families;
    await first.pool.open();
    this.#cancel = this.clock.timer(laterMs, () => {
      for (const { pool, missing } of later)
        if (missing === undefined) this.#opening.push(pool.open().catch(this.onFault));
    });
  }

  /** Worker processes alive. */
  get size(): number {
    return this.families.reduce((sum, { pool }) => sum + pool.size, 0);
  }

  /** As {@link WorkerPool.acquire}. @throws NotStartedError also when this node has no workers for the language. */
  async acquire({ language, ...binding }: LanguageBinding): Promise<PooledWorker> {
    const pool = this.#poolFor(language);
    const worker = await pool.acquire(binding);
    this.#owners.set(worker, pool);
    return worker;
  }

  release(worker: PooledWorker): void {
    const owner = this.#owners.get(worker);
    if (owner === undefined) worker.kill();
    else owner.release(worker);
  }

  /** As {@link WorkerPool.inspect}. */
  async inspect(code: ScriptText, folder?: string): Promise<Inspection> {
    return this.#poolFor(code.language).inspect(code, folder);
  }

  endJob(job: string, belowGeneration?: number): void {
    for (const { pool } of this.families) pool.endJob(job, belowGeneration);
  }

  /** Ends every worker; resolves when all processes and folders are gone. */
  async close(): Promise<void> {
    this.#cancel();
    await Promise.all(this.families.map(({ pool }) => pool.close()));
    await Promise.all(this.#opening);
  }

  #poolFor(language: Language): WorkerPool {
    const family = this.families.find(({ languages }) => languages.includes(language));
    if (family?.missing === undefined && family !== undefined) return family.pool;
    throw new NotStartedError(`this node has no workers for ${language}: ${family?.missing ?? 'nothing here runs it'}`);
  }
}
