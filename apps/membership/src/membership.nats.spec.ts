import { type Member, listMembers, memberChanged } from '@das/contracts';
import { type NodeId, nodeId } from '@das/kernel';
import { ServiceBusOver, connectNats } from '@das/messaging';
import { type Logger, type RunningService, SystemClock, newId, startService } from '@das/platform';
import { natsServer } from '@das/testing';
import { service } from './service.js';

const quiet = (): void => undefined;
const log: Logger = { debug: quiet, info: quiet, warn: quiet, error: quiet };

/** The service alone, over a real server. */
describe('the membership service over NATS', () => {
  const nats = natsServer();
  const [one, two] = [nodeId('node-1'), nodeId('node-2')];
  const services = new Map<NodeId, RunningService>();
  const told: string[] = [];
  let look: () => void = quiet;
  let bus: ServiceBusOver;

  beforeAll(async () => {
    const { url, token } = nats();
    const connection = await connectNats({ url, token, name: 'stand-in' });
    bus = new ServiceBusOver(connection, { node: nodeId('stand-in'), service: 'test' }, new SystemClock(), newId);
    await bus.hear(memberChanged, ({ by, member }) => {
      told.push(`${by}: ${member.node} ${member.state}`);
      look();
    });
  }, 20_000);
  afterAll(async () => {
    await Promise.all([...services.values()].map((running) => running.close()));
    await bus.close();
  });

  async function start(node: NodeId): Promise<void> {
    const { url, token } = nats();
    const env = { DAS_NODE: node, DAS_NATS_URL: url, DAS_NATS_TOKEN: token };
    services.set(node, await startService(service, env, { log }));
  }
  const until = (line: string): Promise<void> =>
    new Promise((resolve) => {
      look = () => (told.includes(line) ? resolve() : undefined);
      look();
    });
  const members = async (node: NodeId): Promise<Member[]> => (await bus.call(listMembers, {}, { node })).body.members;

  it('lets two nodes find each other', async () => {
    await start(one);
    await start(two);
    await until('node-1: node-2 alive');
    await until('node-2: node-1 alive');
    expect((await members(one)).map((member) => member.node).sort()).toEqual([one, two]);
  }, 15_000);

  it('declares nobody dead over a restart of the server', async () => {
    const before = told.length;
    await nats().restart();
    // Answered after the restart: everything told before it has been heard.
    expect((await members(one)).map((member) => member.state)).toEqual(['alive', 'alive']);
    expect((await members(two)).map((member) => member.state)).toEqual(['alive', 'alive']);
    expect(told.slice(before).filter((line) => / (suspect|dead)$/.test(line))).toEqual([]);
  }, 20_000);

  it('tells that a node left, and that it is back', async () => {
    await services.get(two)?.close();
    await until('node-1: node-2 left');
    told.length = 0;
    await start(two);
    await until('node-1: node-2 alive');
    expect((await members(one)).map((member) => member.state)).toEqual(['alive', 'alive']);
  }, 15_000);
});
