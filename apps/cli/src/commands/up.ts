import { hostname } from 'node:os';
import { newId } from '@das/platform/basics';
import { type Cluster, StartAbortedError, startCluster } from '@das/supervisor';
import { addressTowards } from '../client/address-towards.js';
import { type GlobalOptions, homeOf, tokenOf } from '../client/endpoint.js';
import type { Context } from '../context.js';
import { UsageError, parseWhole } from '../core/parse.js';
import { ExitError, exitCodes } from '../errors.js';
import { joinLine, tellRunning } from '../output/running-cluster.js';
import { checkStart, portOf } from './up-checks.js';
import { supervised, upDetached } from './up-detached.js';

export interface UpOptions extends GlobalOptions {
  readonly nodes: string;
  readonly detach?: boolean;
  readonly bind?: string;
  readonly port?: string;
  readonly natsPort?: string;
  readonly split?: boolean;
  /** Set by `--detach` for the process that stays. */
  readonly supervised?: boolean;
}
export interface JoinOptions extends GlobalOptions {
  readonly token?: string;
  readonly tokenFile?: string;
  readonly name?: string;
  readonly bind?: string;
  readonly port?: string;
  readonly split?: boolean;
}

const nodesMax = 64;

/** `das up`: a cluster on this machine, until Ctrl-C; with `--detach`, until `das down`. */
export async function up(context: Context<UpOptions>): Promise<void> {
  const { options, world } = context;
  const count = parseWhole(options.nodes, '--nodes', 1);
  if (count > nodesMax)
    throw new UsageError(`${count} nodes are too many for one machine`, {
      field: '--nodes',
      expected: `at most ${nodesMax}`,
    });
  await checkStart(homeOf(options, world), options.bind, [
    { option: '--port', text: options.port, count },
    { option: '--nats-port', text: options.natsPort, count: 1 },
  ]);
  if (options.detach === true) return upDetached(context);
  if (options.supervised === true) return supervised(context, (stamped) => serveNodes(stamped, count));
  await serveNodes(context, count);
}

function serveNodes(context: Context<UpOptions>, count: number): Promise<void> {
  const { options, world } = context;
  const { env } = world;
  return serve(context, (signal) =>
    startCluster({
      home: homeOf(options, world),
      nodes: Array.from({ length: count }, (_, index) => `node-${index + 1}`),
      bind: options.bind,
      port: portOf(options.port, '--port'),
      natsPort: portOf(options.natsPort, '--nats-port'),
      natsUrl: env['DAS_NATS_URL'] || undefined,
      databaseUrl: env['DAS_DATABASE_URL'] || undefined,
      token: env['DAS_TOKEN'] || undefined,
      split: options.split === true || env['DAS_NODE_PROCESSES'] === 'split',
      env,
      signal,
      note: world.err,
    }),
  );
}

/** `das join ADDRESS --token T`: this machine as one more node. Its store is that of the cluster, reached over the bus. */
export async function joinCluster(context: Context<JoinOptions>, address: string): Promise<void> {
  const { options, world } = context;
  const home = homeOf(options, world);
  const token =
    options.token ?? tokenOf(home, options.tokenFile === undefined ? world.env : { DAS_TOKEN_FILE: options.tokenFile });
  if (token === undefined) {
    throw new UsageError('the token of the cluster is missing', {
      field: '--token',
      hint: '`das up --bind ADDR` prints the whole line',
    });
  }
  const natsUrl = natsUrlOf(address);
  await checkStart(home, options.bind, [{ option: '--port', text: options.port, count: 1 }]);
  const { hostname: host, port } = new URL(natsUrl);
  // Other nodes have to reach our gossip, which is encrypted; REST stays where --bind says.
  const gossipBind = options.bind === undefined ? await addressTowards(host, Number(port)) : undefined;
  await serve(context, (signal) =>
    startCluster({
      home,
      nodes: [options.name ?? defaultName()],
      bind: options.bind,
      port: portOf(options.port, '--port'),
      gossipBind,
      natsUrl,
      databaseUrl: world.env['DAS_DATABASE_URL'] || 'none',
      token,
      split: options.split,
      env: { ...world.env, DAS_NATS_TOKEN: undefined },
      signal,
      note: world.err,
    }),
  );
}

/** Starts, tells, and stays until interrupted; then stops. */
async function serve(
  context: Context<UpOptions | JoinOptions>,
  start: (signal: AbortSignal) => Promise<Cluster>,
): Promise<void> {
  const { world } = context;
  const abort = new AbortController();
  let close = (): void => undefined;
  const interrupted = new Promise<void>((resolve) => {
    close = world.onInterrupt(() => {
      abort.abort();
      resolve();
    });
  });
  try {
    world.err('starting …');
    const cluster = await start(abort.signal);
    const { home, tokenFile, nodes, nats, token } = cluster;
    const line = joinLine(context.options.bind, nats?.port, token);
    await tellRunning(
      context,
      { home, tokenFile, nodes: nodes.map(({ name, rest }) => ({ name, rest })), join: line },
      'ready; Ctrl-C stops it',
    );
    await interrupted;
    world.err('stopping …');
    await cluster.stop();
  } catch (thrown) {
    if (thrown instanceof StartAbortedError) throw new ExitError(exitCodes.cancelled);
    throw thrown;
  } finally {
    close();
  }
}

function natsUrlOf(address: string): string {
  const host = address.replace(/^nats:\/\//, '');
  if (/^[^\s/,@]+:\d{1,5}$/.test(host)) return `nats://${host}`;
  throw new UsageError(`${JSON.stringify(address)} is not an address to join`, {
    field: 'ADDRESS',
    expected: 'host:port of the NATS server',
    hint: '`das up --bind ADDR` prints the whole line',
  });
}

/** Two machines of the same name must not become one node. */
function defaultName(): string {
  const host =
    hostname()
      .replace(/[^A-Za-z0-9_-]/g, '-')
      .slice(0, 40) || 'node';
  return `${host}-${newId().slice(0, 6)}`;
}
