import { mkdir, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type Clock, type NodeId, nodeId } from '@das/kernel';
import { SystemClock, unlessAborted } from '@das/platform/basics';
import { type ClusterOptions, nodeEnvironment, nodeProgram } from './cluster-options.js';
import { type ClusterState, claimHome, removeState, thisProcess, tokenFile, writeState } from './cluster-state.js';
import { ensureKeyrings } from './gossip-keyring.js';
import { Guardian } from './guardian.js';
import { startNatsServer } from './nats.js';
import { type NodeHandle, NodeProcess } from './node-process.js';
import { startPostgres } from './postgres.js';
import { identify } from './process-identity.js';
import { type Server, WatchedServer } from './server-watch.js';
import { ensureToken } from './token.js';

/** A cluster of nodes on this machine, with what it started for them. */
export interface Cluster {
  readonly home: string;
  readonly token: string;
  readonly tokenFile: string;
  readonly nodes: readonly NodeHandle[];
  /** REST base URLs of the nodes, in their order. */
  readonly urls: readonly string[];
  readonly natsUrl: string;
  /** With its password; never log it. `undefined` for nodes that joined a cluster. */
  readonly databaseUrl: string | undefined;
  /** Our own servers; `undefined` where a given one is used. */
  readonly nats: Server | undefined;
  readonly postgres: Server | undefined;
  /** @throws RangeError for a name that no node here has. */
  node(name: string): NodeHandle;
  /** Ends nodes, then NATS, then Postgres. Twice is fine. */
  stop(): Promise<void>;
}

/**
 * Starts a cluster and resolves when every node is ready.
 * @throws Error in words (HomeInUseError; port in use; the reason a node gave). Whatever was started is stopped.
 */
export async function startCluster(options: ClusterOptions): Promise<Cluster> {
  const cluster = new LocalCluster(options);
  await cluster.claim();
  try {
    await unlessAborted(options.signal, cluster.start(), () => new StartAbortedError());
    return cluster;
  } catch (thrown) {
    await cluster.stop();
    throw thrown;
  }
}

/** The start went wrong because its caller wished it so. State: everything is stopped. */
export class StartAbortedError extends Error {
  constructor() {
    super('the start was interrupted; everything is stopped');
    this.name = 'StartAbortedError';
  }
}

class LocalCluster implements Cluster {
  readonly home: string;
  token = '';
  nodes: readonly NodeProcess[] = [];
  nats: WatchedServer | undefined;
  postgres: WatchedServer | undefined;
  #phase: ClusterState['state'] = 'starting';
  #guardian: Guardian | undefined;
  #servers: Promise<unknown> = Promise.resolve();
  #saving: Promise<void> = Promise.resolve();
  #stopped: Promise<void> | undefined;
  readonly #clock: Clock;

  constructor(private readonly options: ClusterOptions) {
    this.home = resolve(options.home);
    this.#clock = options.clock ?? new SystemClock();
  }

  get tokenFile(): string {
    return tokenFile(this.home);
  }
  get urls(): readonly string[] {
    return this.nodes.flatMap((node) => node.rest ?? []);
  }
  get natsUrl(): string {
    return this.options.natsUrl ?? this.nats?.url ?? '';
  }
  get databaseUrl(): string | undefined {
    return this.options.databaseUrl === 'none' ? undefined : (this.options.databaseUrl ?? this.postgres?.url);
  }

  node(name: string): NodeHandle {
    const found = this.nodes.find((node) => node.name === name);
    if (!found)
      throw new RangeError(`no node ${name} here; there are ${this.nodes.map((node) => node.name).join(', ')}`);
    return found;
  }

  async claim(): Promise<void> {
    await claimHome(this.home, await this.#state(), this.#clock);
  }

  async start(): Promise<void> {
    this.token = await ensureToken(this.home, this.options.token);
    // On a bus of others there may be a cluster: its nodes are asked for their keys.
    if (this.options.natsUrl === undefined) await ensureKeyrings(this.home, this.options.nodes);
    this.#guardian = new Guardian();
    this.#servers = this.#startServers();
    await this.#servers;
    if (this.#stopped) return;
    this.nodes = this.options.nodes.map((name, index) => this.#node(nodeId(name), index));
    await Promise.all(this.nodes.map((node) => node.start()));
    this.#phase = 'ready';
    await this.#save();
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #stop(): Promise<void> {
    this.#phase = 'stopping';
    // A server that is just starting has no handle yet: it is stopped once it has one.
    await this.#servers.catch(() => undefined);
    await Promise.allSettled(this.nodes.map((node) => node.stop()));
    await this.nats?.stop();
    await this.postgres?.stop();
    await this.#guardian?.dismiss();
    await this.#saving;
    await rm(join(this.home, 'pids'), { recursive: true, force: true });
    await removeState(this.home);
  }

  async #startServers(): Promise<void> {
    const { options } = this;
    const started = await Promise.allSettled([
      options.natsUrl === undefined ? this.#startNats() : undefined,
      options.databaseUrl === undefined ? this.#startPostgres() : undefined,
    ]);
    for (const outcome of started) if (outcome.status === 'rejected') throw outcome.reason;
    await this.#save();
  }

  async #startNats(): Promise<void> {
    const dir = await this.#folder('nats');
    const host = this.options.bind ?? '127.0.0.1';
    const port = this.options.natsPort === undefined ? {} : { port: this.options.natsPort };
    this.nats = this.#watched(
      'NATS',
      await startNatsServer({ dir, token: this.token, host, jetstream: true, ...port }),
    );
    // At once: a kill while the other server still starts must find this one watched.
    void this.#save();
  }

  async #startPostgres(): Promise<void> {
    const dir = await this.#folder('postgres');
    this.postgres = this.#watched('Postgres', await startPostgres({ dir, bin: this.options.env['DAS_PG_BIN'] }));
    void this.#save();
  }

  #watched(name: string, server: Server): WatchedServer {
    const watched = new WatchedServer(name, server, {
      clock: this.#clock,
      revive: this.options.revive ?? true,
      changed: () => void this.#save(),
      note: this.options.note ?? (() => undefined),
    });
    return watched;
  }

  #node(name: NodeId, index: number): NodeProcess {
    const env = nodeEnvironment(
      this.options,
      { name, index, home: this.home, tokenFile: this.tokenFile },
      { natsUrl: this.natsUrl, databaseUrl: this.databaseUrl },
    );
    const logFile = join(this.home, 'log', `${name}.log`);
    const program = this.options.program ?? nodeProgram;
    const revive = this.options.revive ?? true;
    return new NodeProcess({
      name,
      program,
      env,
      logFile,
      revive,
      clock: this.#clock,
      changed: () => void this.#save(),
      note: this.options.note ?? (() => undefined),
    });
  }

  async #folder(name: string): Promise<string> {
    const folder = join(this.home, name);
    await mkdir(folder, { recursive: true, mode: 0o711 });
    return folder;
  }

  /** Writes follow each other, so that the newest state is the one that stays. */
  #save(): Promise<void> {
    this.#guardian?.watch([
      ...(this.nats ? [{ pid: this.nats.pid ?? 0, signal: 'TERM' as const }] : []),
      // INT: Postgres' fast shutdown; TERM would wait for its clients.
      ...(this.postgres ? [{ pid: this.postgres.pid ?? 0, signal: 'INT' as const }] : []),
    ]);
    this.#saving = this.#saving.then(async () => writeState(this.home, await this.#state())).catch(() => undefined);
    return this.#saving;
  }

  async #state(): Promise<ClusterState> {
    return {
      version: 1,
      state: this.#phase,
      supervisor: await thisProcess(),
      tokenFile: this.tokenFile,
      nats: await described(this.options.natsUrl, this.nats),
      postgres:
        this.options.databaseUrl === 'none' ? undefined : await described(this.options.databaseUrl, this.postgres),
      nodes: await Promise.all(
        this.nodes.map(async ({ name, rest, state, pid }) => ({ name, rest, state, process: await identify(pid) })),
      ),
    };
  }
}

async function described(given: string | undefined, own: Server | undefined): Promise<ClusterState['nats']> {
  const url = given ?? own?.url;
  return url === undefined ? undefined : { url: withoutSecrets(url), process: own && (await identify(own.pid ?? 0)) };
}

/** A URL as it may be shown: user and password are left out. */
export function withoutSecrets(url: string): string {
  return url.replace(/\/\/[^/@]*@/g, '//').replace(/([?&](?:password|token)=)[^&]*/gi, '$1…');
}
