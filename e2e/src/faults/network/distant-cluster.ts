import { type ChildProcess } from 'node:child_process';
import { closeSync } from 'node:fs';
import { mkdir, mkdtemp, chmod, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { JobView } from '@das/contracts';
import { openLog } from '@das/supervisor';
import { repository, until } from '../../harness.js';
import type { Rest } from '../../rest.js';
import { Network } from './network.js';
import { User, firstWord, letGo, onHost } from './programs.js';

const programs = join(__dirname, 'on-host.mjs');
const nodeProgram = join(repository, 'apps/node/dist/main.js');
const token = 'distant-'.padEnd(32, 'x');

/** Hosts besides the nodes: where Postgres runs, where NATS runs, and from where the test asks. */
export const [database, bus, user] = ['database', 'bus', 'user'];
export const servers = [database, bus];

interface Facts {
  readonly url: string;
  readonly token?: string;
}

/** A cluster whose nodes and servers are on hosts of their own, with faults for each way between two of them. */
export class DistantCluster {
  readonly #children: ChildProcess[] = [];
  readonly #rests = new Map<string, string>();
  #user!: User;

  private constructor(
    readonly home: string,
    readonly nodes: readonly string[],
    readonly network: Network,
  ) {}

  static async start(count: number): Promise<DistantCluster> {
    const nodes = Array.from({ length: count }, (_, index) => `node-${index + 1}`);
    const home = await mkdtemp(join(tmpdir(), 'das-distant-'));
    await chmod(home, 0o711);
    const network = await Network.of([database, bus, user, ...nodes]);
    const cluster = new DistantCluster(home, nodes, network);
    try {
      await cluster.#start();
      return cluster;
    } catch (thrown) {
      await cluster.stop();
      throw thrown;
    }
  }

  /** A client of one node, on a host that is cut from nobody unless it is named in a cut. */
  rest(node: string): Rest {
    return this.#user.rest(this.#rests.get(node) ?? '', token);
  }

  /** Resolves with the job once it has ended, as the given node sees it. */
  ended(id: string, node: string, withinMs?: number): Promise<JobView> {
    const look = async (): Promise<JobView | undefined> => {
      const view = await this.rest(node).view(id);
      return view.finishedAt === undefined ? undefined : view;
    };
    return until(`job ${id} has ended`, look, withinMs);
  }

  /** Resolves when all of these nodes name one leader among `candidates`. */
  agreed(nodes: readonly string[], candidates: readonly string[] = nodes): Promise<{ leader: string; term: number }> {
    return until(`${nodes.join(', ')} agree on a leader`, async () => {
      const views = await Promise.all(nodes.map((node) => this.rest(node).leader()));
      const [{ leader, term } = { term: 0 }] = views;
      const same = views.every((view) => view.leader === leader && view.term === term);
      return same && leader !== undefined && candidates.includes(leader) ? { leader, term } : undefined;
    });
  }

  /** Resolves when every node takes jobs and sees every other. */
  whole(): Promise<true> {
    return until('the cluster is whole', async () => {
      for (const node of this.nodes) {
        const rest = this.rest(node);
        const seen = await rest.nodes();
        if (!(await rest.raw('/health/ready')).ok) return undefined;
        if (seen.filter(({ state, slots }) => state === 'alive' && slots > 0).length < this.nodes.length)
          return undefined;
      }
      await this.agreed(this.nodes);
      return true;
    });
  }

  /** Twice is fine. */
  async stop(): Promise<void> {
    await this.network.heal();
    await Promise.all(this.#children.splice(0).map(letGo));
    await this.#user?.close();
    await this.network.close();
    await rm(this.home, { recursive: true, force: true });
  }

  async #start(): Promise<void> {
    await writeFile(join(this.home, 'token'), `${token}\n`, { mode: 0o600 });
    const [postgres, nats] = await Promise.all([this.#server(database, 'postgres'), this.#server(bus, 'nats')]);
    const asking = onHost(this.network, user, [process.execPath, programs, 'user'], process.env);
    this.#user = new User(asking);
    await firstWord(asking, 'the user');
    await Promise.all(this.nodes.map((node) => this.#node(node, postgres, nats)));
    await this.whole();
  }

  async #server(host: string, role: string): Promise<Facts> {
    const dir = join(this.home, role);
    await mkdir(dir, { mode: 0o711 });
    const command = [process.execPath, programs, role, dir, this.network.address(host)];
    const child = onHost(this.network, host, command, process.env);
    this.#children.push(child);
    return firstWord<Facts>(child, role);
  }

  async #node(node: string, postgres: Facts, nats: Facts): Promise<void> {
    const home = join(this.home, node);
    await mkdir(home, { mode: 0o711 });
    const log = openLog(join(this.home, `${node}.log`));
    const env = {
      ...process.env,
      DAS_NODE: node,
      DAS_HOME: home,
      DAS_BIND: this.network.address(node),
      DAS_TOKEN_FILE: join(this.home, 'token'),
      DAS_NATS_URL: nats.url,
      DAS_NATS_TOKEN: nats.token,
      DAS_DATABASE_URL: postgres.url,
      DAS_SLOTS: '2',
    };
    const child = onHost(this.network, node, [process.execPath, nodeProgram], env, log);
    closeSync(log);
    this.#children.push(child);
    const { rest, message } = await firstWord<{ rest?: string; message?: string }>(child, node);
    if (rest === undefined) throw new Error(`${node} did not start: ${message ?? ''}`);
    this.#rests.set(node, rest);
  }
}
