import { type BodyOf, nodeAttributes } from '@das/contracts';
import { type NodeId, nodeId } from '@das/kernel';
import { JetStreamEventLog, type MessageBus, ServiceBusOver, connectNats } from '@das/messaging';
import { type RunningService, SystemClock, newId, startService } from '@das/platform';
import { service } from '../service.js';
import { StandInStore } from './stand-in-store.js';
import { StandInExecutor, startStandInCluster } from './stand-ins.js';

/** The front door of `node-1` over a NATS server, with stand-ins for everything it asks. */
export interface FrontDoor {
  readonly url: string;
  readonly store: StandInStore;
  readonly executor: StandInExecutor;
  readonly events: JetStreamEventLog;
  readonly bus: ServiceBusOver;
  /** What it told its node's membership since its start. */
  readonly attributes: readonly BodyOf<typeof nodeAttributes>[];
  /** Of a plain client, which knows no envelopes. */
  readonly plain: MessageBus;
  leader: NodeId | undefined;
  close(): Promise<void>;
}

export const restToken = 'a-token-for-tests';

/** Starts it all. @throws what the start throws; nothing is left running. */
export async function startFrontDoor(
  nats: { readonly url: string; readonly token: string },
  env: Record<string, string> = {},
): Promise<FrontDoor> {
  const connection = await connectNats({ ...nats, name: 'stand-ins' });
  const clock = new SystemClock();
  const bus = new ServiceBusOver(connection, { node: nodeId('node-1'), service: 'stand-in' }, clock, newId);
  const door: { leader: NodeId | undefined } = { leader: nodeId('node-1') };
  let running: RunningService | undefined;
  const close = async (): Promise<void> => {
    await running?.close();
    await bus.close();
    await connection.close();
  };
  try {
    const store = await new StandInStore(bus).start();
    const executor = await new StandInExecutor(bus).start();
    await startStandInCluster(bus, () => door.leader);
    const attributes: BodyOf<typeof nodeAttributes>[] = [];
    await bus.hear(nodeAttributes, (told) => attributes.push(told));
    const events = await JetStreamEventLog.open(connection.connection, clock);
    running = await startService(service, {
      DAS_NODE: 'node-1',
      DAS_NATS_URL: nats.url,
      DAS_NATS_TOKEN: nats.token,
      DAS_TOKEN: restToken,
      DAS_LOG_LEVEL: 'error',
      ...env,
    });
    if (running.url === undefined) throw new Error('the front door has no address');
    return Object.assign(door, {
      url: running.url,
      token: restToken,
      store,
      executor,
      events,
      bus,
      attributes,
      plain: connection,
      close,
    });
  } catch (error) {
    await close();
    throw error;
  }
}

/** Parser for supertest: the body as it came. */
export function asText(response: unknown, done: (error: Error | null, body: string) => void): void {
  const stream = response as NodeJS.ReadableStream;
  const chunks: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => chunks.push(Buffer.from(chunk)));
  stream.on('end', () => done(null, Buffer.concat(chunks).toString()));
  stream.on('error', (error: Error) => done(error, ''));
}
