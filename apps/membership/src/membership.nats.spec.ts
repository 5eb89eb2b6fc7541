import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Member, listMembers, memberDead, memberJoined, memberLeft, memberSuspected } from '@das/contracts';
import { type NodeId, nodeId } from '@das/kernel';
import { ServiceBusOver, connectNats } from '@das/messaging';
import { type Logger, type RunningService, SystemClock, newId, startService } from '@das/platform';
import { natsServer } from '@das/testing';
import { service } from './service.js';

const quiet = (): void => undefined;
const log: Logger = { debug: quiet, info: quiet, warn: quiet, error: quiet };

/** The service alone, over a real server and real sockets. */
describe('the membership service over NATS, UDP and TCP', () => {
  const nats = natsServer();
  const [one, two] = [nodeId('node-1'), nodeId('node-2')];
  const services = new Map<NodeId, RunningService>();
  const told: string[] = [];
  let look: () => void = quiet;
  let bus: ServiceBusOver;
  let home: string;

  beforeAll(async () => {
    home = mkdtempSync(join(tmpdir(), 'das-membership-'));
    const { url, token } = nats();
    const connection = await connectNats({ url, token, name: 'stand-in' });
    bus = new ServiceBusOver(connection, { node: nodeId('stand-in'), service: 'test' }, new SystemClock(), newId);
    for (const [word, announcement] of Object.entries({
      joined: memberJoined,
      suspected: memberSuspected,
      dead: memberDead,
      left: memberLeft,
    }))
      await bus.hear(announcement, ({ by, member }) => {
        told.push(`${by}: ${member.node} ${word}`);
        look();
      });
  }, 20_000);
  afterAll(async () => {
    await Promise.all([...services.values()].map((running) => running.close()));
    await bus.close();
    rmSync(home, { recursive: true, force: true });
  }, 20_000);

  async function start(node: NodeId, more: Record<string, string> = {}): Promise<void> {
    const { url, token } = nats();
    const env = { DAS_NODE: node, DAS_HOME: home, DAS_NATS_URL: url, DAS_NATS_TOKEN: token, ...more };
    services.set(node, await startService(service, env, { log }));
  }
  const until = (line: string): Promise<void> =>
    new Promise((resolve) => {
      look = () => (told.includes(line) ? resolve() : undefined);
      look();
    });
  const members = async (node: NodeId): Promise<Member[]> => (await bus.call(listMembers, {}, { node })).body.members;
  const addressOf = async (node: NodeId) => (await members(node)).find((member) => member.node === node)?.address ?? '';

  it('lets two nodes find each other, encrypted by what they share', async () => {
    await Promise.all([start(one), start(two)]);
    await until('node-1: node-2 joined');
    await until('node-2: node-1 joined');
    expect((await members(one)).map((member) => member.node).sort()).toEqual([one, two]);
  }, 20_000);

  it('declares nobody dead over a restart of the server', async () => {
    const before = told.length;
    await nats().restart();
    // Answered after the restart: everything told before it has been heard.
    expect((await members(one)).map((member) => member.state)).toEqual(['alive', 'alive']);
    expect((await members(two)).map((member) => member.state)).toEqual(['alive', 'alive']);
    expect(told.slice(before).filter((line) => / (suspected|dead)$/.test(line))).toEqual([]);
  }, 20_000);

  it('tells that a node left, and that it is back at its place', async () => {
    const address = await addressOf(two);
    await services.get(two)?.close();
    await until('node-1: node-2 left');
    told.length = 0;
    await start(two);
    await until('node-1: node-2 joined');
    expect((await members(one)).map((member) => member.state)).toEqual(['alive', 'alive']);
    expect(await addressOf(two)).toBe(address);
  }, 20_000);

  it('says what is wrong with a place to listen at', async () => {
    const port = (await addressOf(one)).split(':')[1] ?? '';
    const fresh = { DAS_HOME: join(home, 'other') };
    await expect(start(nodeId('node-3'), { ...fresh, DAS_GOSSIP_PORT: port })).rejects.toMatchObject({
      message: `the gossip port ${port} on 127.0.0.1 is in use`,
      hint: expect.stringContaining('DAS_GOSSIP_PORT') as string,
    });
    for (const bind of ['203.0.113.7', 'no-such-host.invalid'])
      await expect(start(nodeId('node-3'), { ...fresh, DAS_GOSSIP_BIND: bind })).rejects.toMatchObject({
        hint: expect.stringContaining('DAS_GOSSIP_BIND') as string,
      });
  }, 30_000);
});
