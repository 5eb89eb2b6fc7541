import { messageOf, nodeId } from '@das/kernel';
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { ConfigError, type Env, loadConfig } from './config.js';

const natsUrls = /^(nats|tls):\/\/[^\s,]+(,(nats|tls):\/\/[^\s,]+)*$/;

/** Settings that every service shares. */
export const commonConfig = z.object({
  DAS_NODE: z
    .string({ error: 'required: the name of this node' })
    .regex(/^[A-Za-z0-9_-]{1,64}$/, 'expected 1 to 64 of A-Z a-z 0-9 _ -')
    .transform(nodeId)
    .describe('Name of this node; unique in its cluster.'),
  DAS_HOME: z
    .string()
    .default('.das')
    .describe('Folder for what the node keeps: scratch space, logs, its own servers.'),
  DAS_TRANSPORT: z.enum(['nats']).default('nats').describe('What carries messages between services.'),
  DAS_NATS_URL: z
    .string()
    .regex(natsUrls, 'expected nats://host:port, or several with commas between')
    .default('nats://127.0.0.1:4222')
    .describe(
      'NATS server, or several of one cluster with commas between; it needs JetStream for events and logs. With three or more, three of them hold a copy of these.',
    ),
  DAS_NATS_TOKEN: z.string().max(1000).optional().describe('Token for NATS. Default: what DAS_TOKEN_FILE holds.'),
  DAS_TOKEN_FILE: z
    .string()
    .optional()
    .describe('File with the cluster token, for NATS and REST (mode 0600). Keeps it out of process lists.'),
  DAS_TOKEN: z
    .string()
    .max(1000)
    .optional()
    .describe('Bearer token that REST asks for. Default: what DAS_TOKEN_FILE holds.'),
  DAS_CONNECT_TIMEOUT_MS: z.coerce
    .number()
    .int()
    .min(100)
    .max(600_000)
    .default(10_000)
    .describe('How long a starting service tries to reach NATS (ms). Once connected it reconnects for ever.'),
  DAS_LOG_LEVEL: z
    .enum(['debug', 'info', 'warn', 'error'])
    .default('info')
    .describe('Least severe log lines that are written.'),
  DAS_HEALTH_PORT: z.coerce
    .number()
    .int()
    .min(0)
    .max(65_535)
    .optional()
    .describe('Port for GET /health/live and /health/ready of this one service; absent: none. 0: a free one.'),
  DAS_BIND: z.string().default('127.0.0.1').describe('Address that HTTP listens on.'),
});
export type CommonConfig = Readonly<z.output<typeof commonConfig>>;

export interface Tokens {
  readonly nats: string | undefined;
  readonly rest: string | undefined;
}

/** Settings every service shares. @throws ConfigError. */
export const loadCommonConfig = (env: Env): CommonConfig => loadConfig(commonConfig, env);

/** The tokens to use: given ones first, else the token file's text. @throws ConfigError when the file cannot be read or is empty. */
export function loadTokens(config: Pick<CommonConfig, 'DAS_NATS_TOKEN' | 'DAS_TOKEN' | 'DAS_TOKEN_FILE'>): Tokens {
  const shared = config.DAS_TOKEN_FILE === undefined ? undefined : readToken(config.DAS_TOKEN_FILE);
  return { nats: config.DAS_NATS_TOKEN ?? shared, rest: config.DAS_TOKEN ?? shared };
}

function readToken(path: string): string {
  let text: string;
  try {
    text = readFileSync(path, 'utf8').trim();
  } catch (error) {
    throw new ConfigError([{ variable: 'DAS_TOKEN_FILE', message: `cannot be read: ${messageOf(error)}` }]);
  }
  if (text !== '') return text;
  throw new ConfigError([{ variable: 'DAS_TOKEN_FILE', message: `${path} is empty; expected the cluster token` }]);
}
