import { chmod, mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { newId } from '@das/platform/basics';
import { type Cluster, startCluster } from '@das/supervisor';
import type { Processes } from './faults.js';

export type Strategy = 'bully' | 'raft' | 'lease';

export interface StageOptions {
  readonly nodes: number;
  readonly slots: number;
  readonly processes: Processes;
  readonly strategy: Strategy;
  /** Ends the start. */
  readonly signal?: AbortSignal | undefined;
}

/** Finds what still runs of the processes that carry a mark in their environment, or work in a folder. */
export type Leftovers = (of: {
  run: string;
  temp: string;
  since: number;
  graceMs?: number;
}) => Promise<ReadonlyArray<{ readonly pid: number; readonly command: string; readonly parent: number }>>;

/** A cluster of its own, whose processes and files can be told from all others. */
export class Stage {
  /** It is over, perhaps before its time: nothing is to be started any more. */
  struck = false;
  readonly #endings: (() => void)[] = [];

  private constructor(
    readonly cluster: Cluster,
    readonly env: Readonly<Record<string, string | undefined>>,
    private readonly folder: string,
    private readonly mark: string,
    private readonly since: number,
  ) {}

  /** @throws Error in words when the cluster does not start; nothing is left then. */
  static async set(options: StageOptions): Promise<Stage> {
    const since = Date.now();
    const folder = await mkdtemp(join(tmpdir(), 'das-reliability-'));
    // Postgres and workers have accounts of their own: they pass through.
    await chmod(folder, 0o711);
    const temp = join(folder, 'tmp');
    await mkdir(temp);
    await chmod(temp, 0o1777);
    // A test around us finds its processes by the beginning of the same mark.
    const mark = `${process.env['DAS_TEST_RUN'] ?? 'reliability'}.${newId()}`;
    const names = Array.from({ length: options.nodes }, (_, index) => `node-${index + 1}`);
    const env = {
      ...process.env,
      TMPDIR: temp,
      DAS_TEST_RUN: mark,
      DAS_SLOTS: String(options.slots),
      DAS_ELECTION: options.strategy,
      ...(options.strategy === 'raft' ? { DAS_ELECTION_VOTERS: names.join(',') } : {}),
    };
    const home = join(folder, 'home');
    const split = options.processes === 'split';
    try {
      const cluster = await startCluster({ home, nodes: names, split, revive: false, env, signal: options.signal });
      return new Stage(cluster, env, folder, mark, since);
    } catch (thrown) {
      await rm(folder, { recursive: true, force: true });
      throw thrown;
    }
  }

  /** Workers and helpers whose node is gone, while the cluster still runs. */
  async orphans(leftovers: Leftovers): Promise<string[]> {
    const found = await leftovers({ run: this.mark, temp: this.folder, since: this.since, graceMs: 0 });
    return found.filter(({ parent }) => parent === 1).map(({ pid, command }) => `orphan ${pid}: ${command}`);
  }

  /** Stops everything; resolves with what is still there afterwards, in words. The logs are kept until {@link strike}. */
  async stop(leftovers: Leftovers): Promise<string[]> {
    await this.cluster.stop();
    const running = await leftovers({ run: this.mark, temp: this.folder, since: this.since });
    return [
      ...running.map(({ pid, command }) => `still running: ${pid} ${command}`),
      ...(await files(join(this.folder, 'tmp'))).map((name) => `still there: ${name} in the temporary folder`),
      ...(await this.#left()).map((name) => `still there: ${name}`),
    ];
  }

  /** Called when the stage is struck. */
  atEnd(ending: () => void): void {
    this.#endings.push(ending);
  }

  /** Stops what runs and removes the folder, whatever happened before. */
  async strike(): Promise<void> {
    this.struck = true;
    for (const ending of this.#endings.splice(0)) ending();
    await this.cluster.stop();
    // An interrupted fault may still be writing.
    await rm(this.folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  }

  /** Folders of workers are `w-…`; what else a node keeps in its scratch folder is for its next start. Spooled output is for a commit to come. */
  async #left(): Promise<string[]> {
    const [scratch, spooled] = await Promise.all([this.#perNode('scratch'), this.#perNode('spool')]);
    return [...scratch.filter((name) => /[/\\]w-/.test(name)), ...spooled];
  }

  async #perNode(kind: string): Promise<string[]> {
    const nodes = await files(join(this.cluster.home, kind));
    const all = nodes.map(async (node) => {
      const names = await files(join(this.cluster.home, kind, node));
      return names.map((name) => join(kind, node, name));
    });
    return (await Promise.all(all)).flat();
  }
}

const files = (folder: string): Promise<string[]> => readdir(folder).catch(() => []);
