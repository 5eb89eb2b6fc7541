import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import type { KeysView, MembersView } from '@das/contracts';
import { nodeId } from '@das/kernel';
import { runCli } from './cli.js';
import { addressTowards } from './client/address-towards.js';

const member = {
  node: nodeId('node-1'),
  state: 'alive' as const,
  incarnation: 3,
  address: '10.0.0.1:7946',
  sinceMs: 65_000,
  version: '0.1.0',
  services: ['executor', 'membership'],
  labels: { zone: 'west' },
  rttMs: 0.4,
};
const { version: _version, ...agent } = { ...member, node: nodeId('agent'), services: [], labels: {} };
const members: MembersView = {
  by: nodeId('node-1'),
  members: [agent, member, { ...member, node: nodeId('node-2'), state: 'dead', sinceMs: 4_000 }],
  gossip: {
    node: nodeId('node-1'),
    address: member.address,
    profile: 'cluster',
    label: '',
    encrypted: true,
    healthScore: 1,
    members: { alive: 2, suspect: 0, dead: 1, left: 0 },
    notes: { 'wire.label': 2 },
  },
};
const keys: KeysView = {
  complete: true,
  nodes: [{ node: nodeId('node-1'), outcome: 'done', keys: [{ fingerprint: '1a2b3c4d', bytes: 32, primary: true }] }],
};

describe('das members and das gossip keys', () => {
  let home: string;
  let server: Server;
  let answer: unknown;
  let asked: string[];

  beforeEach(async () => {
    home = mkdtempSync(join(tmpdir(), 'das-cli-'));
    [asked, answer] = [[], members];
    server = createServer((request, response) => {
      void text(request).then((body) => {
        asked.push(`${request.method} ${request.url} ${body}`.trim());
        response.end(JSON.stringify(answer));
      });
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  afterEach(() => {
    server.closeAllConnections();
    server.close();
    rmSync(home, { recursive: true, force: true });
  });

  async function das(args: string[], input = '') {
    const said = { out: '', err: '' };
    const code = await runCli(args, {
      env: { DAS_HOME: home, DAS_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, DAS_TOKEN: 't' },
      cwd: home,
      stdin: Readable.from([input]),
      terminal: false,
      out: async (data) => void (said.out += String(data)),
      err: (line) => void (said.err += `${line}\n`),
      onInterrupt: () => () => undefined,
    });
    return { code, ...said };
  }

  it('lists who is here', async () => {
    expect((await das(['members'])).out.trimEnd().split('\n')).toEqual(
      [
        'MEMBER  STATE  FOR           ADDRESS        VERSION',
        'agent   alive  1 min 05 s    10.0.0.1:7946',
        'node-1  alive  1 min 05 s    10.0.0.1:7946  0.1.0',
        'node-2  dead   4.0 s         10.0.0.1:7946  0.1.0',
      ].map((line) => expect.stringMatching(new RegExp(`^${line.replace(/ +/g, ' +')}$`)) as string),
    );
    expect(asked).toEqual(['GET /v1/members']);
  });

  it('tells all there is with --wide', async () => {
    const { out } = await das(['members', '--wide']);
    expect(out).toMatch(
      /node-1 +alive +1 min 05 s +10\.0\.0\.1:7946 +3 +0\.4 ms +0\.1\.0 +executor,membership +zone=west/,
    );
    expect(out).toMatch(/agent .*\(none of our nodes\)/);
    expect(out).toContain('seen by node-1\ngossip  encrypted, profile cluster, health score 1\nnoted   wire.label 2\n');
    expect(JSON.parse((await das(['members', '--wide', '--json'])).out)).toEqual(members);
    expect(JSON.parse((await das(['members', '--json'])).out)).toEqual({ by: 'node-1', members: members.members });
  });

  it('shows keys by their fingerprints', async () => {
    answer = keys;
    const { code, out } = await das(['gossip', 'keys', 'list']);
    expect([code, out]).toEqual([0, expect.stringMatching(/node-1 +done +1a2b3c4d \* \(AES-256\)/)]);
    expect(asked).toEqual(['GET /v1/gossip/keys']);
  });

  it.each(['install', 'use', 'remove'])('asks for %s, with the key given or on standard input', async (action) => {
    answer = keys;
    expect((await das(['gossip', 'keys', action, 'KEY'])).code).toBe(0);
    expect((await das(['gossip', 'keys', action, '-'], 'KEY\n')).code).toBe(0);
    const sent = `POST /v1/gossip/keys {"action":"${action}","key":"KEY"}`;
    expect(asked).toEqual([sent, sent]);
  });

  it('vouches for members that are none of our nodes where it is said so', async () => {
    answer = keys;
    for (const action of ['use', 'remove'])
      expect((await das(['gossip', 'keys', action, 'KEY', '--foreign-changed'])).code).toBe(0);
    expect(asked).toEqual(
      ['use', 'remove'].map((action) => `POST /v1/gossip/keys {"action":"${action}","key":"KEY","foreign":"changed"}`),
    );
    expect((await das(['gossip', 'keys', 'install', 'KEY', '--foreign-changed'])).code).toBe(2);
  });

  it('ends with 1 and names the node that did not do it', async () => {
    const silent = { node: nodeId('node-2'), outcome: 'unreachable' as const, reason: 'no answer', keys: [] };
    answer = { complete: false, nodes: [...keys.nodes, silent] };
    const { code, out, err } = await das(['gossip', 'keys', 'install', 'KEY']);
    expect([code, err]).toEqual([1, 'not on every node: node-2 (unreachable)\n']);
    expect(out).toMatch(/node-2 +unreachable +no answer/);
  });

  it('makes keys without asking anybody, each another', async () => {
    const [one, other] = [
      (await das(['gossip', 'keys', 'generate'])).out,
      (await das(['gossip', 'keys', 'generate'])).out,
    ];
    expect(Buffer.from(one, 'base64')).toHaveLength(32);
    expect(one).not.toBe(other);
    expect(asked).toEqual([]);
  });

  it.each([
    [['gossip', 'keys', 'install'], ''],
    [['gossip', 'keys', 'install', '-'], '\n'],
    [['gossip', 'keys', 'frobnicate'], ''],
  ])('refuses %j with 2', async (args, input) => {
    expect((await das(args, input)).code).toBe(2);
    expect(asked).toEqual([]);
  });
});

it('knows by which of its addresses a host is reached', async () => {
  expect(await addressTowards('127.0.0.1', 4222)).toBe('127.0.0.1');
  expect(await addressTowards('no-such-host.invalid', 4222)).toBeUndefined();
});
