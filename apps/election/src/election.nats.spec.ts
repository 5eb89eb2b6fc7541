import { getLeader } from '@das/contracts';
import { type NodeId, nodeId } from '@das/kernel';
import { ServiceBusOver, connectNats } from '@das/messaging';
import { type Logger, type RunningService, SystemClock, newId, startService } from '@das/platform';
import { natsServer } from '@das/testing';
import { service } from './service.js';
import { Heard, StandInStore, beatSplitters } from './testing/stand-ins.js';

const quiet = (): void => undefined;
const log: Logger = { debug: quiet, info: quiet, warn: quiet, error: quiet };

/** The service alone, over a real server, with a stand-in store. */
describe('the election service over NATS', () => {
  const nats = natsServer();
  const nodes = ['node-1', 'node-2', 'node-3'].map(nodeId);
  const clock = new SystemClock();
  const services = new Map<NodeId, RunningService>();
  let bus: ServiceBusOver;
  let store: StandInStore;
  let heard: Heard;
  let stopBeats: () => void;

  beforeAll(async () => {
    const { url, token } = nats();
    const connection = await connectNats({ url, token, name: 'stand-in' });
    bus = new ServiceBusOver(connection, { node: nodeId('stand-in'), service: 'results-store' }, clock, newId);
    store = await new StandInStore(bus, clock).start();
    heard = await Heard.on(bus);
  }, 20_000);
  afterAll(async () => {
    stopBeats();
    await Promise.all([...services.values()].map((running) => running.close()));
    await bus.close();
  });

  const askLeader = async (node: NodeId) => (await bus.call(getLeader, {}, { node })).body;

  it('elects one of three, whom all follow', async () => {
    const { url, token } = nats();
    const first = heard.next((message) => !message.resigned);
    for (const node of nodes) {
      const env = { DAS_NODE: node, DAS_NATS_URL: url, DAS_NATS_TOKEN: token };
      services.set(node, await startService(service, env, { log }));
    }
    stopBeats = beatSplitters(bus, clock, nodes);
    const { leader, term, trustMs } = await first;
    expect(trustMs).toBeGreaterThan(0);
    expect(trustMs).toBeLessThanOrEqual(3_000);
    await heard.next((message) => message.leader === leader);
    for (const node of nodes) expect(await askLeader(node)).toEqual({ leader, term });
  }, 15_000);

  it('elects another, in a higher term, as soon as the leader resigns', async () => {
    const { leader, term } = await heard.next((message) => !message.resigned);
    const next = heard.next((message) => message.term > term);
    await services.get(leader)?.close();
    services.delete(leader);
    expect(heard.all.some((message) => message.term === term && message.resigned)).toBe(true);
    const successor = await next;
    expect(successor.leader).not.toBe(leader);
    expect(store.leader).toBe(successor.leader);
  }, 15_000);

  it('goes on after the server was restarted, with one leader', async () => {
    await nats().restart();
    const { term } = await heard.next((message) => !message.resigned);
    expect(term).toBe(store.term);
    const leaders = new Set(heard.all.filter((message) => message.term === term).map((message) => message.leader));
    expect(leaders.size).toBe(1);
  }, 20_000);
});
