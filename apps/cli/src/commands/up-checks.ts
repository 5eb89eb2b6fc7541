import { once } from 'node:events';
import { createServer } from 'node:net';
import { HomeInUseError, isAlive, readState } from '@das/supervisor';
import { UsageError, parseWhole } from '../core/parse.js';

const portMax = 65_535;

/** A port given by an option, and how many nodes take one from there on. */
export interface WantedPort {
  readonly option: '--port' | '--nats-port';
  readonly text: string | undefined;
  readonly count: number;
}

/** What would make a start fail later is told before anything is started. @throws HomeInUseError, UsageError. */
export async function checkStart(home: string, bind: string | undefined, wanted: readonly WantedPort[]): Promise<void> {
  const ports = wanted.flatMap((one) => portsOf(one).map((port) => ({ port, option: one.option })));
  checkApart(ports);
  const state = await readState(home);
  if (state && (await isAlive(state.supervisor))) throw new HomeInUseError(home, state.supervisor.pid);
  await checkBind(bind);
  for (const { port, option } of ports) await checkPort(port, option, bind);
}

/** @throws UsageError for what is no port. */
export function portOf(text: string | undefined, field: string): number | undefined {
  if (text === undefined) return undefined;
  const port = parseWhole(text, field, 1);
  if (port > portMax) throw new UsageError(`${port} is not a port`, { field, expected: `1 to ${portMax}` });
  return port;
}

function portsOf({ option, text, count }: WantedPort): number[] {
  const first = portOf(text, option);
  if (first === undefined) return [];
  if (first + count - 1 > portMax)
    throw new UsageError(`there are no ${count} ports from ${first} on`, { field: option });
  return Array.from({ length: count }, (_, index) => first + index);
}

function checkApart(ports: readonly { readonly port: number; readonly option: WantedPort['option'] }[]): void {
  const takers = new Map<number, WantedPort['option']>();
  for (const { port, option } of ports) {
    const taker = takers.get(port);
    if (taker !== undefined)
      throw new UsageError(`port ${port} is taken twice: ${taker} counts on to it`, {
        field: option,
        expected: 'ports that do not meet: each node takes one, from --port on',
        hint: `leave ${option} out for a free one`,
      });
    takers.set(port, option);
  }
}

async function checkBind(bind: string | undefined): Promise<void> {
  if (bind === undefined) return;
  const fault = await faultOfListening(0, bind);
  if (fault !== undefined)
    throw new UsageError(`${JSON.stringify(bind)} is no address of this machine`, {
      field: '--bind',
      expected: 'an address of this machine, like 127.0.0.1, or 0.0.0.0 for all of them',
    });
}

async function checkPort(port: number, field: string, bind = '127.0.0.1'): Promise<void> {
  const fault = await faultOfListening(port, bind);
  if (fault === undefined) return;
  const why =
    fault === 'EADDRINUSE' ? 'is in use' : fault === 'EACCES' ? 'is for root only' : `cannot be used (${fault})`;
  throw new UsageError(`port ${port} ${why}`, {
    field,
    expected: 'a port that is free',
    hint: `leave ${field} out for free ones`,
  });
}

async function faultOfListening(port: number, host: string): Promise<string | undefined> {
  const server = createServer();
  try {
    server.listen(port, host);
    await once(server, 'listening');
    return undefined;
  } catch (thrown) {
    return (thrown as NodeJS.ErrnoException).code ?? 'unknown';
  } finally {
    await new Promise((closed) => server.close(closed));
  }
}
