import { hostname, networkInterfaces } from 'node:os';
import { join } from 'node:path';
import type { Context } from '../context.js';

/** What is told of a cluster that runs. */
export interface RunningCluster {
  readonly home: string;
  readonly tokenFile: string;
  readonly nodes: readonly { readonly name: string; readonly rest: string | undefined }[];
  /** What another machine types. */
  readonly join: string | undefined;
}

/** Prints where the cluster is. */
export async function tellRunning(context: Context, running: RunningCluster, last: string): Promise<void> {
  const { home, tokenFile, nodes, join: line } = running;
  const lines = [
    ...nodes.map(({ name, rest }) => `${name}  ${rest ?? ''}`),
    `token   ${tokenFile}`,
    `logs    ${join(home, 'log')}`,
    ...(line === undefined
      ? []
      : [`join    ${line}`, '        (or with --token-file FILE, which keeps the token out of process lists)']),
    last,
  ];
  await context.print(running, lines.join('\n'));
}

/** Only a cluster that other machines can reach, with a NATS of its own, can be joined by such a line. */
export function joinLine(
  bind: string | undefined,
  natsPort: string | number | undefined,
  token: string | undefined,
): string | undefined {
  if (bind === undefined || isLoopback(bind) || natsPort === undefined || token === undefined) return undefined;
  const host = bind === '0.0.0.0' || bind === '::' ? (outsideAddress() ?? hostname()) : bind;
  return `das join ${host}:${natsPort} --token ${token}`;
}

const isLoopback = (address: string): boolean => /^(127\.|localhost$|::1$)/.test(address);

function outsideAddress(): string | undefined {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return all.find(({ internal, family }) => !internal && family === 'IPv4')?.address;
}
