import type { Language } from '@das/contracts';
import type { Cancel, Clock } from '@das/kernel';
import { NodeUnfitError } from '../ports/errors.js';
import type { Inspection, ScriptText } from '../ports/runtime.js';
import type { PooledWorker } from './pooled-worker.js';
import type { VenvPools } from './venv-pools.js';
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
  /** The virtual environment that its script wants; absent: the node's own Python will do. */
  readonly venv?: string | undefined;
}

/** A node that has just started has other things to do (ms). */
const laterMs = 3_000;

/** The pools of a node, one per kind of worker. The first family is what the node cannot be without; the others start a little later. */
export class WorkerPools {
  readonly #owners = new WeakMap<PooledWorker, Pick<WorkerPool, 'release'>>();
  readonly #opening: Array<Promise<void>> = [];
  #cancel: Cancel = () => undefined;

  constructor(
    private readonly families: readonly [Family, ...Family[]],
    private readonly clock: Clock,
    /** Told when a later family cannot start; each job of it tries anew. */
    private readonly onFault: (error: unknown) => void,
    private readonly venvs: VenvPools,
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
    return this.families.reduce((sum, { pool }) => sum + pool.size, this.venvs.size);
  }

  /** As {@link WorkerPool.acquire}. @throws NodeUnfitError also when this node has no workers for the language, or cannot use the environment. */
  async acquire({ language, venv, ...binding }: LanguageBinding): Promise<PooledWorker> {
    if (venv === undefined) return this.#owned(this.#poolFor(language), (pool) => pool.acquire(binding));
    return this.#owned(this.venvs, (pools) => pools.acquire(venv, binding));
  }

  async #owned<Owner extends Pick<WorkerPool, 'release'>>(
    owner: Owner,
    take: (owner: Owner) => Promise<PooledWorker>,
  ): Promise<PooledWorker> {
    const worker = await take(owner);
    this.#owners.set(worker, owner);
    return worker;
  }

  release(worker: PooledWorker): void {
    const owner = this.#owners.get(worker);
    if (owner === undefined) worker.kill();
    else owner.release(worker);
  }

  /** As {@link WorkerPool.inspect}, by the interpreter that will run it. @throws NodeUnfitError as {@link acquire}. */
  async inspect(code: ScriptText, folder?: string, venv?: string): Promise<Inspection> {
    if (venv !== undefined) return this.venvs.inspect(venv, code, folder);
    return this.#poolFor(code.language).inspect(code, folder);
  }

  endJob(job: string, belowGeneration?: number): void {
    for (const pools of [this.venvs, ...this.families.map(({ pool }) => pool)]) pools.endJob(job, belowGeneration);
  }

  /** Ends every worker; resolves when all processes and folders are gone. */
  async close(): Promise<void> {
    this.#cancel();
    await Promise.all([this.venvs, ...this.families.map(({ pool }) => pool)].map((pools) => pools.close()));
    await Promise.all(this.#opening);
  }

  #poolFor(language: Language): WorkerPool {
    const family = this.families.find(({ languages }) => languages.includes(language));
    if (family?.missing === undefined && family !== undefined) return family.pool;
    const why = family?.missing ?? 'nothing here runs it';
    const hint = 'let the account of scripts reach it, and start the node again; other nodes may run such jobs';
    throw new NodeUnfitError('LANGUAGE_MISSING', `this node has no workers for ${language}: ${why}`, hint);
  }
}
