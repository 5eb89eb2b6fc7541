import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Guardian, findNatsServer, freePort } from '@das/supervisor';
import { until } from '../harness.js';

interface Place {
  readonly name: string;
  readonly port: number;
  readonly route: number;
  readonly monitor: number;
}

/** Three NATS servers that are one cluster, with JetStream; each can be killed and started again. */
export class NatsTrio {
  readonly token = 'trio-'.padEnd(32, 'x');
  readonly #running = new Map<string, ChildProcess>();
  readonly #guardian = new Guardian();

  private constructor(
    private readonly folder: string,
    private readonly binary: string,
    private readonly places: readonly Place[],
  ) {}

  static async start(): Promise<NatsTrio> {
    const binary = await findNatsServer(process.env['PATH']);
    const folder = await mkdtemp(join(tmpdir(), 'das-trio-'));
    const trio = new NatsTrio(folder, binary, await Promise.all(['one', 'two', 'three'].map(placeOf)));
    try {
      await Promise.all(trio.names.map((name) => trio.restart(name)));
      await until('the servers agree on a leader of their streams', async () =>
        (await trio.#ask<{ meta_cluster?: { leader?: string } }>('one', 'jsz')).meta_cluster?.leader ? true : undefined,
      );
      return trio;
    } catch (thrown) {
      await trio.stop();
      throw thrown;
    }
  }

  get names(): string[] {
    return this.places.map(({ name }) => name);
  }
  /** What goes into `DAS_NATS_URL`. */
  get url(): string {
    return this.places.map(({ port }) => `nats://127.0.0.1:${port}`).join(',');
  }

  /** The server that the connection of this name (`<node>/<service>`) uses. */
  async serverOf(connection: string): Promise<string> {
    for (const name of this.#running.keys()) {
      const { connections } = await this.#ask<{ connections: Array<{ name?: string }> }>(name, 'connz?limit=1000');
      if (connections.some((found) => found.name === connection)) return name;
    }
    throw new Error(`no server has a connection of ${connection}`);
  }

  /** The server that orders the stream, and those that hold its other copies. */
  async holdersOf(stream: string): Promise<{ leader: string; copies: number }> {
    interface Detail {
      readonly name: string;
      readonly cluster: { readonly leader: string; readonly replicas?: readonly unknown[] };
    }
    interface Jsz {
      readonly account_details?: ReadonlyArray<{ readonly stream_detail?: readonly Detail[] }>;
    }
    for (const name of this.#running.keys()) {
      const { account_details: accounts } = await this.#ask<Jsz>(name, 'jsz?accounts=true&streams=true');
      const found = accounts
        ?.flatMap((account) => account.stream_detail ?? [])
        .find((detail) => detail.name === stream);
      if (found) return { leader: found.cluster.leader, copies: 1 + (found.cluster.replicas?.length ?? 0) };
    }
    throw new Error(`no server has the stream ${stream}`);
  }

  async kill(name: string): Promise<void> {
    const child = this.#running.get(name);
    if (!child) return;
    const gone = new Promise((done) => child.once('exit', done));
    child.kill('SIGKILL');
    await gone;
    this.#running.delete(name);
  }

  /** Starts it; resolves when it is healthy, its copies of streams included. */
  async restart(name: string): Promise<void> {
    const file = join(this.folder, `${name}.conf`);
    await writeFile(file, this.#config(this.places.find((place) => place.name === name)!), { mode: 0o600 });
    const child = spawn(this.binary, ['--config', file], { stdio: 'ignore' });
    this.#running.set(name, child);
    const wards = [...this.#running.values()].map(({ pid }) => ({ pid: pid ?? 0, signal: 'TERM' as const }));
    this.#guardian.watch(wards);
    await until(`${name} is healthy`, async () =>
      (await this.#ask<{ status: string }>(name, 'healthz')).status === 'ok' ? true : undefined,
    );
  }

  async stop(): Promise<void> {
    await Promise.all(this.names.map((name) => this.kill(name)));
    await this.#guardian.dismiss();
    await rm(this.folder, { recursive: true, force: true });
  }

  async #ask<T>(name: string, what: string): Promise<T> {
    const { monitor } = this.places.find((place) => place.name === name)!;
    return (await (await fetch(`http://127.0.0.1:${monitor}/${what}`)).json()) as T;
  }

  #config({ name, port, route, monitor }: Place): string {
    const routes = this.places.map((place) => `nats://127.0.0.1:${place.route}`);
    return [
      `server_name: ${name}`,
      `listen: 127.0.0.1:${port}`,
      `http: 127.0.0.1:${monitor}`,
      'max_payload: 2MB',
      `authorization { token: ${JSON.stringify(this.token)} }`,
      `jetstream { store_dir: ${JSON.stringify(join(this.folder, name))} }`,
      `cluster { name: trio, listen: 127.0.0.1:${route}, routes: ${JSON.stringify(routes)} }`,
      `log_file: ${JSON.stringify(join(this.folder, `${name}.log`))}`,
      '',
    ].join('\n');
  }
}

async function placeOf(name: string): Promise<Place> {
  const [port, route, monitor] = [
    await freePort('127.0.0.1'),
    await freePort('127.0.0.1'),
    await freePort('127.0.0.1'),
  ];
  return { name, port, route, monitor };
}
