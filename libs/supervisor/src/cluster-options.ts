import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Clock } from '@das/kernel';

export interface ClusterOptions {
  /** Folder of everything the cluster keeps: data, logs, token, state. Made when missing. */
  readonly home: string;
  /** Names of the nodes on this machine. */
  readonly nodes: readonly string[];
  /** Address that REST and our NATS listen on. @default 127.0.0.1 */
  readonly bind?: string | undefined;
  /** Address that gossip listens on, unless DAS_GOSSIP_BIND says otherwise. @default that of {@link bind} */
  readonly gossipBind?: string | undefined;
  /** REST port of the first node, the next ones following. @default free ports */
  readonly port?: number | undefined;
  /** Port of our own NATS. @default a free one */
  readonly natsPort?: number | undefined;
  /** A NATS server to use; absent: one of our own. */
  readonly natsUrl?: string | undefined;
  /** A database to use; absent: a Postgres of our own. `none`: nodes without a results-store, which use those of the cluster they join. */
  readonly databaseUrl?: string | undefined;
  /** The cluster's token. @default that of the last start in this home, else a new one */
  readonly token?: string | undefined;
  /** One process per service. @default false */
  readonly split?: boolean | undefined;
  /** Start again what dies by itself. @default true */
  readonly revive?: boolean | undefined;
  /** Environment of the nodes; our own variables are put over it. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** More variables for one node. */
  readonly nodeEnv?: (node: string) => Readonly<Record<string, string>>;
  /** Aborting ends a start half way, or nothing once the cluster runs. */
  readonly signal?: AbortSignal | undefined;
  readonly clock?: Clock;
  /** Program of a node. @default the built `apps/node` */
  readonly program?: string;
  /** Told in words what happens, for people. */
  readonly note?: (message: string) => void;
}

/** The services of a node that joins a cluster: the store of the cluster is asked over the bus. */
export const servicesWithoutStore = 'membership,election,job-splitter,executor,telemetry';

/** The root of this installation, seen from `src/` and from `dist/` alike. */
const installation = resolve(dirname(fileURLToPath(import.meta.url)), '../../..');
export const nodeProgram = join(installation, 'apps/node/dist/main.js');

/** One gossip port for several nodes of a machine: they follow each other, as their REST ports do. */
function gossipEnvironment({ env, gossipBind }: ClusterOptions, index: number): Record<string, string> {
  const port = Number(env['DAS_GOSSIP_PORT'] ?? 0);
  return {
    ...(port > 0 ? { DAS_GOSSIP_PORT: String(port + index) } : {}),
    ...(gossipBind === undefined || env['DAS_GOSSIP_BIND'] ? {} : { DAS_GOSSIP_BIND: gossipBind }),
  };
}

/** What a node is told by its environment. */
export function nodeEnvironment(
  options: ClusterOptions,
  node: { readonly name: string; readonly index: number; readonly home: string; readonly tokenFile: string },
  servers: { readonly natsUrl: string; readonly databaseUrl: string | undefined },
): Record<string, string | undefined> {
  const stored = servers.databaseUrl;
  return {
    ...options.env,
    // A secret in the caller's environment must not outvote the cluster's own token file.
    DAS_TOKEN: undefined,
    DAS_NATS_TOKEN: options.natsUrl === undefined ? undefined : options.env['DAS_NATS_TOKEN'],
    DAS_TOKEN_FILE: node.tokenFile,
    DAS_NODE: node.name,
    DAS_HOME: node.home,
    DAS_BIND: options.bind ?? '127.0.0.1',
    DAS_REST_PORT: String(options.port === undefined ? 0 : options.port + node.index),
    ...gossipEnvironment(options, node.index),
    DAS_NATS_URL: servers.natsUrl,
    DAS_DATABASE_URL: stored,
    DAS_NODE_PROCESSES: options.split === true ? 'split' : 'single',
    ...(stored === undefined ? { DAS_NODE_SERVICES: servicesWithoutStore } : {}),
    ...options.nodeEnv?.(node.name),
  };
}
