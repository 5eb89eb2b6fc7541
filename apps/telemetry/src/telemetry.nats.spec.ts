import { clusterStatus, executorBeat } from '@das/contracts';
import { nodeId } from '@das/kernel';
import { ServiceBusOver, connectNats } from '@das/messaging';
import { type Logger, type RunningService, SystemClock, newId, startService } from '@das/platform';
import { natsServer } from '@das/testing';
import { service } from './service.js';

const quiet = (): void => undefined;
const log: Logger = { debug: quiet, info: quiet, warn: quiet, error: quiet };

/** The service alone, over a real server. */
describe('the telemetry service over NATS', () => {
  const nats = natsServer();
  const node = nodeId('node-1');
  let running: RunningService | undefined;
  let bus: ServiceBusOver | undefined;

  beforeAll(async () => {
    const { url, token } = nats();
    running = await startService(service, { DAS_NODE: node, DAS_NATS_URL: url, DAS_NATS_TOKEN: token }, { log });
    const connection = await connectNats({ url, token, name: 'stand-in' });
    bus = new ServiceBusOver(connection, { node, service: 'executor' }, new SystemClock(), newId);
  }, 20_000);
  afterAll(async () => {
    await running?.close();
    await bus?.close();
  });

  it('answers any client for the load of all nodes', async () => {
    // One connection's messages come in order: the question behind the beats.
    for (const name of ['node-1', 'node-2']) {
      const beat = { node: nodeId(name), epoch: 'e', slots: 2, draining: false, held: [], rssBytes: 1, workers: 1 };
      bus?.tell(executorBeat, beat);
    }
    let answered = (await bus?.call(clusterStatus, {}))?.body.nodes ?? [];
    // Subscriptions are served side by side, so the first question may still overtake the last beat.
    for (let asked = 0; answered.length < 2 && asked < 50; asked += 1) {
      answered = (await bus?.call(clusterStatus, {}))?.body.nodes ?? [];
    }
    expect(answered.map((status) => status.node)).toEqual(['node-1', 'node-2']);
  });
});
