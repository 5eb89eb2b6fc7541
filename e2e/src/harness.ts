import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { JobView } from '@das/contracts';
import { startCluster, type Cluster } from '@das/supervisor';
import { Rest } from './rest.js';

export const repository = resolve(__dirname, '../..');

export interface TestCluster extends AsyncDisposable {
  readonly cluster: Cluster;
  readonly home: string;
  /** A client of one node, counted from 1. */
  node(number: number): Rest;
  /** Resolves with the job once it has ended, as the given node sees it. */
  ended(id: string, number?: number): Promise<JobView>;
  stop(): Promise<void>;
}

export interface TestClusterOptions {
  readonly nodes?: number;
  readonly slots?: number;
  readonly split?: boolean;
  readonly env?: Readonly<Record<string, string>>;
  /** Servers of the test's own; absent: those of the cluster. */
  readonly databaseUrl?: string;
  readonly natsUrl?: string;
}

/** `DAS_E2E_PROCESSES=split` runs every suite with one process per service. */
const splitByDefault = process.env['DAS_E2E_PROCESSES'] === 'split';

/** A fresh cluster with its own NATS, Postgres and folder; all gone after `stop`. Nodes that are killed stay down. */
export async function testCluster(options: TestClusterOptions = {}): Promise<TestCluster> {
  const home = await mkdtemp(join(tmpdir(), 'das-e2e-'));
  try {
    const cluster = await startCluster({
      home,
      nodes: Array.from({ length: options.nodes ?? 3 }, (_, index) => `node-${index + 1}`),
      split: options.split ?? splitByDefault,
      revive: false,
      databaseUrl: options.databaseUrl,
      natsUrl: options.natsUrl,
      env: { ...process.env, DAS_SLOTS: String(options.slots ?? 2), ...options.env },
    });
    return new Running(cluster, home);
  } catch (error) {
    await rm(home, { recursive: true, force: true });
    throw error;
  }
}

class Running implements TestCluster {
  constructor(
    readonly cluster: Cluster,
    readonly home: string,
  ) {}

  node(number: number): Rest {
    const { rest } = this.cluster.node(`node-${number}`);
    if (rest === undefined) throw new Error(`node-${number} has no address`);
    return new Rest(rest, this.cluster.token);
  }
  ended(id: string, number = 1): Promise<JobView> {
    return until(`job ${id} has ended`, async () => {
      const view = await this.node(number).view(id);
      return view.finishedAt === undefined ? undefined : view;
    });
  }
  async stop(): Promise<void> {
    await this.cluster.stop();
    await rm(this.home, { recursive: true, force: true });
  }
  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

/** How long a condition may take to come true (ms), and between two looks. */
const untilMs = 90_000;
const lookMs = 50;

/** Looks until `look` answers. A refused connection counts as "not yet". */
export async function until<T>(what: string, look: () => Promise<T | undefined>, withinMs = untilMs): Promise<T> {
  const deadline = Date.now() + withinMs;
  let last: unknown;
  for (;;) {
    try {
      const answer = await look();
      if (answer !== undefined) return answer;
      last = undefined;
    } catch (error) {
      last = error;
    }
    if (Date.now() > deadline) throw new Error(`not within ${withinMs} ms: ${what}`, { cause: last });
    await new Promise((done) => setTimeout(done, lookMs));
  }
}

export const script = (text: string, filename = 'job.py') => ({ language: 'python', filename, text });

/** A script whose items take this long each, by the clock. */
export const sleepy = (seconds: number): string =>
  `import time\ndef map(item):\n    time.sleep(${seconds})\n    return item * 2\n`;

export const lines = (count: number, line: (index: number) => unknown): string => {
  let text = '';
  for (let index = 0; index < count; index += 1) text += `${JSON.stringify(line(index))}\n`;
  return text;
};
