import { type KeysView, type Member, gossipKeys, listMembers, membershipStats } from '@das/contracts';
import { nodeId } from '@das/kernel';
import { ServiceBusOver, connectNats } from '@das/messaging';
import { SystemClock, newId } from '@das/platform';
import { natsServer } from '@das/testing';
import request from 'supertest';
import { type FrontDoor, restToken, startFrontDoor } from '../testing/front-door.js';
import { checkKeyChange } from './gossip-key-rules.js';

const key = Buffer.alloc(32, 7).toString('base64');
const known = (fingerprint: string, primary: boolean) => ({ fingerprint, primary, bytes: 32 });

/** The membership of one node, as the front door asks it. */
class StandInMembership {
  fingerprint = '';
  installed = true;
  readonly asked: string[] = [];
  constructor(readonly bus: ServiceBusOver) {}
  async start(): Promise<void> {
    await this.bus.answer(gossipKeys, async ({ action, key: given }) => {
      this.asked.push(`${action} ${given ?? ''}`.trim());
      return {
        outcome: 'done' as const,
        keys: [known('00000000', true), ...(this.installed ? [known('1a2b3c4d', false)] : [])],
      };
    });
  }
}

describe('members and gossip keys by REST', () => {
  const nats = natsServer();
  let door: FrontDoor;
  const nodes: StandInMembership[] = [];

  beforeAll(async () => {
    door = await startFrontDoor(nats());
    for (const name of ['node-1', 'node-2']) {
      const connection = await connectNats({ ...nats(), name: `membership of ${name}` });
      const identity = { node: nodeId(name), service: 'membership' };
      nodes.push(new StandInMembership(new ServiceBusOver(connection, identity, new SystemClock(), newId)));
    }
    await Promise.all(nodes.map((node) => node.start()));
  }, 20_000);
  afterAll(async () => {
    await Promise.all(nodes.map(({ bus }) => bus.close()));
    await door?.close();
  });
  beforeEach(() => {
    for (const node of nodes) Object.assign(node, { installed: true, asked: [] });
  });

  const get = (path: string) => request(door.url).get(path).auth(restToken, { type: 'bearer' });
  const post = (body: unknown) =>
    request(door.url)
      .post('/v1/gossip/keys')
      .auth(restToken, { type: 'bearer' })
      .send(body as object);
  const outcomes = ({ nodes: all }: KeysView) => all.map(({ node, outcome }) => `${node} ${outcome}`);

  it('lists who is here, with how the gossip is doing when it says so', async () => {
    const { body } = await get('/v1/members');
    expect(body).toMatchObject({
      by: 'node-1',
      members: [{ node: 'node-1', services: ['executor', 'membership'] }, { node: 'node-2' }],
    });
    expect(body.gossip).toBeUndefined();
    const stats = {
      node: nodeId('node-1'),
      address: '127.0.0.1:2',
      profile: 'cluster',
      label: '',
      encrypted: true,
      healthScore: 0,
    };
    const counts = { members: { alive: 2, suspect: 0, dead: 0, left: 0 }, notes: { paused: 1 } };
    const stop = await door.bus.answer(membershipStats, async () => ({ ...stats, ...counts }));
    expect((await get('/v1/members')).body.gossip).toEqual({ ...stats, ...counts });
    stop();
    expect((await get('/v1/members?x=1')).status).toBe(400);
  }, 15_000);

  it('asks every present member, and names them with what became of it', async () => {
    const listed = (await get('/v1/gossip/keys')).body as KeysView;
    expect([listed.complete, outcomes(listed)]).toEqual([true, ['node-1 done', 'node-2 done']]);
    const { status, body } = await post({ action: 'install', key });
    expect([status, body.complete]).toEqual([200, true]);
    for (const node of nodes) expect(node.asked).toEqual(['list', `install ${key}`]);
  });

  it('uses a key only when every present member has it', async () => {
    expect((await post({ action: 'use', key: '1a2b3c4d' })).body.complete).toBe(true);
    nodes[1]!.installed = false;
    nodes[1]!.asked.length = 0;
    const { status, body } = await post({ action: 'use', key: '1a2b3c4d' });
    expect([status, body.code]).toEqual([409, 'GOSSIP_KEY_NOT_INSTALLED']);
    expect(body.detail).toContain('node-2');
    expect(body.detail).not.toContain('node-1');
    expect(nodes[1]!.asked).toEqual(['list']);
  });

  it('removes no key that encrypts anywhere', async () => {
    const { status, body } = await post({ action: 'remove', key: '00000000' });
    expect([status, body.code]).toEqual([409, 'GOSSIP_KEY_IN_USE']);
    expect((await post({ action: 'remove', key: '1a2b3c4d' })).status).toBe(200);
  });

  it.each([
    [{ action: 'install', key: 'c2hvcnQ=' }, 'key', 'base64 of 16, 24 or 32 bytes'],
    [{ action: 'install', key: '1a2b3c4d' }, 'key', 'base64 of 16, 24 or 32 bytes'],
    [{ action: 'list', key }, 'action', 'one of'],
    [{ action: 'use' }, 'key', 'string'],
    [{ action: 'use', key, more: 1 }, 'more', 'schema'],
    [{ action: 'use', key, foreign: 'maybe' }, 'foreign', 'changed'],
  ])('refuses %j, naming what is wrong', async (body, field, expected) => {
    const answer = await post(body);
    expect(answer.status).toBe(400);
    expect(answer.body).toMatchObject({
      code: 'REQUEST_INVALID',
      field,
      expected: expect.stringContaining(expected) as string,
    });
    expect(nodes.flatMap(({ asked }) => asked)).toEqual([]);
  });

  it('refuses what is no JSON, and too much of it', async () => {
    const send = (text: string) =>
      request(door.url).post('/v1/gossip/keys').auth(restToken, { type: 'bearer' }).type('application/json').send(text);
    expect((await send('{')).body).toMatchObject({ status: 400, code: 'REQUEST_INVALID' });
    expect((await send(JSON.stringify({ action: 'x'.repeat(2_000) }))).body).toMatchObject({ status: 413 });
  });

  it('names a member that does not answer, and one that is none of our nodes', async () => {
    const { body } = await door.bus.call(listMembers, {});
    const silent = { ...body.members[0]!, node: nodeId('node-3') };
    const { version: _, ...foreign } = { ...body.members[0]!, node: nodeId('agent') };
    const gone = { ...silent, node: nodeId('node-4'), state: 'dead' as const };
    const other = await startFrontDoor(nats(), { DAS_NODE: 'node-9' });
    const stop = new ServiceBusOver(
      await connectNats({ ...nats(), name: 'membership of node-9' }),
      { node: nodeId('node-9'), service: 'membership' },
      new SystemClock(),
      newId,
    );
    let present: Member[] = [...body.members, silent, foreign, gone];
    await stop.answer(listMembers, async () => ({ members: present }));
    const ask = (path: string, sent?: object) =>
      sent === undefined
        ? request(other.url).get(path).auth(restToken, { type: 'bearer' })
        : request(other.url).post(path).auth(restToken, { type: 'bearer' }).send(sent);
    try {
      const view = (await ask('/v1/gossip/keys')).body as KeysView;
      expect(view.complete).toBe(false);
      expect(outcomes(view)).toEqual(['agent foreign', 'node-1 done', 'node-2 done', 'node-3 unreachable']);
      const refused = (await ask('/v1/gossip/keys', { action: 'use', key: '1a2b3c4d' })).body as { detail: string };
      expect(refused.detail).toContain('agent (none of our nodes), node-3 (no answer)');
      const remove = { action: 'remove', key: '1a2b3c4d' };
      const unknown = (await ask('/v1/gossip/keys', remove)).body as { code: string; detail: string };
      expect([unknown.code, unknown.detail]).toEqual([
        'GOSSIP_KEY_IN_USE',
        'key 1a2b3c4d may encrypt on agent (none of our nodes), node-3 (no answer)',
      ]);
      present = [...body.members, foreign];
      const beside = (await ask('/v1/gossip/keys', { action: 'use', key: '1a2b3c4d' })).body as { hint: string };
      expect(beside.hint).toContain('--foreign-changed ("foreign":"changed")');
      for (const action of ['use', 'remove']) {
        const vouched = (await ask('/v1/gossip/keys', { action, key: '1a2b3c4d', foreign: 'changed' }))
          .body as KeysView;
        expect([vouched.complete, outcomes(vouched)]).toEqual([true, ['agent foreign', 'node-1 done', 'node-2 done']]);
      }
      expect(
        ((await ask('/v1/nodes')).body as { nodes: { name: string }[] }).nodes.map(({ name }) => name),
      ).not.toContain('agent');
    } finally {
      await stop.close();
      await other.close();
    }
  }, 30_000);
});

it('lets a key that nobody has be removed', () => {
  const node = { node: nodeId('a'), outcome: 'done' as const, keys: [known('00000000', true)] };
  expect(() => checkKeyChange({ action: 'remove' }, 'ffffffff', [node])).not.toThrow();
  expect(() => checkKeyChange({ action: 'use' }, 'ffffffff', [node])).toThrow('ffffffff');
});
