import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SystemClock } from '@das/platform/basics';
import { type Cluster, StartAbortedError, startCluster, withoutSecrets } from './cluster.js';
import type { ClusterOptions } from './cluster-options.js';
import { HomeInUseError, readState, stateFile } from './cluster-state.js';
import { eventually } from './eventually.js';
import { identify } from './process-identity.js';

/** Stands for a node: answers its health, tells its environment, ends when its supervisor does. */
const program = `
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
let asked = 0;
const say = (notice) => new Promise((done) => process.send(notice, done));
process.on('disconnect', () => process.exit(1));
process.on('SIGTERM', () => process.exit(0));
if (process.env.FAKE === 'fails') { await say({ kind: 'failed', message: 'nats is away' }); process.exit(1); }
if (process.env.FAKE === 'dies') { console.error('error: a readable line'); process.exit(1); }
const server = createServer((request, response) => {
  if (request.url === '/die') process.exit(3);
  if (process.env.FAKE === 'waits') {
    response.statusCode = 503;
    // Who asks again has read the first answer.
    if (++asked === 2) writeFileSync(process.env.FAKE_ASKED, '');
    return response.end(JSON.stringify({ ready: false, reasons: ['leader: none is known'] }));
  }
  response.end(JSON.stringify(process.env));
});
server.listen(Number(process.env.DAS_REST_PORT), '127.0.0.1', async () => {
  if (process.env.FAKE !== 'hangs') await say({ kind: 'started', rest: 'http://127.0.0.1:' + server.address().port });
});
`;

const clock = new SystemClock();
const told = async (url: string | undefined): Promise<Record<string, string>> =>
  (await (await fetch(url ?? '')).json()) as Record<string, string>;
const become = (holds: () => Promise<boolean>) => eventually(holds, { clock, withinMs: 10_000 });

describe('a local cluster', () => {
  let folder: string;
  let running: Cluster[];
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'das-cluster-'));
    running = [];
    writeFileSync(join(folder, 'node.mjs'), program);
  });
  afterEach(async () => {
    await Promise.all(running.map((cluster) => cluster.stop()));
    rmSync(folder, { recursive: true, force: true });
  });

  const options = (more: Partial<ClusterOptions> = {}): ClusterOptions => ({
    home: join(folder, 'home'),
    nodes: ['node-1', 'node-2'],
    natsUrl: 'nats://127.0.0.1:1',
    databaseUrl: 'postgres://u:secret@127.0.0.1:1/x',
    revive: false,
    env: { PATH: process.env['PATH'] },
    program: join(folder, 'node.mjs'),
    ...more,
  });
  const start = async (more: Partial<ClusterOptions> = {}): Promise<Cluster> => {
    const cluster = await startCluster(options(more));
    running.push(cluster);
    return cluster;
  };

  it('starts its nodes on different ports and tells each who it is', async () => {
    const { nodes, tokenFile } = await start({ split: true });
    const [first, second] = await Promise.all(nodes.map((node) => told(node.rest)));
    expect([first?.['DAS_NODE'], second?.['DAS_NODE']]).toEqual(['node-1', 'node-2']);
    expect(first).toMatchObject({ DAS_NODE_PROCESSES: 'split', DAS_TOKEN_FILE: tokenFile, DAS_BIND: '127.0.0.1' });
    expect(new Set(nodes.map((node) => node.rest)).size).toBe(2);
  });

  it('gives nodes that join no store of their own', async () => {
    const { nodes } = await start({ databaseUrl: 'none', nodes: ['far'] });
    const env = await told(nodes[0]?.rest);
    expect(env['DAS_NODE_SERVICES']).not.toContain('results-store');
    expect(env['DAS_DATABASE_URL']).toBeUndefined();
  });

  it('keeps token and state for the owner only, and the password out of the state', async () => {
    const { home, tokenFile, token } = await start();
    expect([tokenFile, stateFile(home)].map((file) => statSync(file).mode & 0o777)).toEqual([0o600, 0o600]);
    expect(readFileSync(tokenFile, 'utf8').trim()).toBe(token);
    expect(readFileSync(stateFile(home), 'utf8')).not.toContain('secret');
    expect(await readState(home)).toMatchObject({ state: 'ready', supervisor: { pid: process.pid } });
  });

  it('has the same token after a restart', async () => {
    const first = await start();
    await first.stop();
    expect((await start()).token).toBe(first.token);
  });

  it('refuses a second cluster in the same home, and leaves the first alone', async () => {
    const { nodes } = await start();
    await expect(startCluster(options())).rejects.toThrow(HomeInUseError);
    expect((await told(nodes[0]?.rest))['DAS_NODE']).toBe('node-1');
  });

  it('runs beside another one in another home', async () => {
    const [a, b] = [await start(), await start({ home: join(folder, 'other') })];
    expect(new Set([...a.urls, ...b.urls]).size).toBe(4);
    expect(a.token).not.toBe(b.token);
  });

  it('takes over a home whose supervisor is gone', async () => {
    const first = await start();
    const stale = { ...(await readState(first.home)), supervisor: { pid: process.pid, started: '1' } };
    await first.stop();
    writeFileSync(stateFile(first.home), JSON.stringify(stale));
    expect((await start()).urls).toHaveLength(2);
  });

  it('stops every process and forgets its state', async () => {
    const cluster = await start();
    const pids = cluster.nodes.map((node) => node.pid);
    await cluster.stop();
    expect(await Promise.all(pids.map(identify))).toEqual([undefined, undefined]);
    expect(await readState(cluster.home)).toBeUndefined();
  });

  it('keeps a killed node down, and restarts it on the same port', async () => {
    const { nodes } = await start();
    const node = nodes[1]!;
    const { pid, rest } = node;
    await node.kill('SIGKILL');
    expect([node.state, await identify(pid)]).toEqual(['down', undefined]);
    await node.restart();
    expect([node.state, node.rest]).toEqual(['ready', rest]);
    expect(node.pid).not.toBe(pid);
  });

  it('revives a node that died by itself', async () => {
    const said: string[] = [];
    const { nodes } = await start({ revive: true, note: (line) => said.push(line) });
    const node = nodes[0]!;
    const { pid, rest } = node;
    await fetch(`${rest}/die`).catch(() => undefined);
    expect(await become(async () => node.state === 'ready' && node.pid !== pid)).toBe(true);
    expect((await told(rest))['DAS_NODE']).toBe('node-1');
    await become(async () => said.length > 1);
    expect(said).toEqual(['node-1 died (3); starting it again', 'node-1 is back']);
  });

  it('leaves a dead node dead when it was told to', async () => {
    const { nodes } = await start();
    await fetch(`${nodes[0]?.rest}/die`).catch(() => undefined);
    expect(await become(async () => nodes[0]?.state === 'down')).toBe(true);
  });

  it.each([
    ['fails', /node-2 did not start: nats is away/],
    ['dies', /node-2 did not start: error: a readable line/],
  ])('tells why a node did not start (%s), and stops the others', async (how, message) => {
    const nodeEnv = (name: string): Record<string, string> => (name === 'node-2' ? { FAKE: how } : {});
    await expect(startCluster(options({ nodeEnv }))).rejects.toThrow(message);
    expect(await readState(options().home)).toBeUndefined();
  });

  it('tells what a node waits for that is never ready', async () => {
    const asked = join(folder, 'asked');
    const overtime: (() => void)[] = [];
    class Hurried extends SystemClock {
      override timer(ms: number, ring: () => void) {
        return ms < 60_000 ? super.timer(ms, ring) : (overtime.push(ring), () => undefined);
      }
    }
    const nodeEnv = () => ({ FAKE: 'waits', FAKE_ASKED: asked });
    const starting = startCluster(options({ nodes: ['node-1'], nodeEnv, clock: new Hurried() }));
    void become(async () => existsSync(asked)).then(() => overtime.forEach((ring) => ring()));
    await expect(starting).rejects.toThrow('node-1 did not start: not ready after 60 s: leader: none is known');
  });

  it('stops everything when its start is interrupted', async () => {
    const abort = new AbortController();
    const starting = startCluster(options({ nodeEnv: () => ({ FAKE: 'hangs' }), signal: abort.signal }));
    const pids = async () => (await readState(options().home))?.nodes.flatMap((node) => node.process?.pid ?? []) ?? [];
    expect(await become(async () => (await pids()).length === 2)).toBe(true);
    const started = await pids();
    abort.abort();
    await expect(starting).rejects.toThrow(StartAbortedError);
    expect(await Promise.all(started.map(identify))).toEqual([undefined, undefined]);
  });

  it('names the nodes there are when asked for another', async () => {
    const cluster = await start();
    expect(() => cluster.node('node-9')).toThrow(/there are node-1, node-2/);
  });
});

describe('a cluster with servers of its own', () => {
  it('starts NATS and Postgres, restarts and stops them', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'das-cluster-'));
    writeFileSync(join(folder, 'node.mjs'), program);
    const home = join(folder, 'home');
    const env = { PATH: process.env['PATH'] };
    const cluster = await startCluster({
      home,
      nodes: ['node-1'],
      env,
      revive: true,
      program: join(folder, 'node.mjs'),
    });
    try {
      const [nats, postgres] = [cluster.nats!, cluster.postgres!];
      const before = [nats.pid ?? 0, postgres.pid ?? 0];
      await Promise.all([nats.restart(), postgres.restart()]);
      expect(await Promise.all(before.map(identify))).toEqual([undefined, undefined]);
      expect((await told(cluster.urls[0]))['DAS_DATABASE_URL']).toBe(postgres.url);
      // A server that dies by itself is started again.
      const dead = nats.pid ?? 0;
      process.kill(dead, 'SIGKILL');
      expect(await become(async () => nats.pid !== undefined && nats.pid !== dead)).toBe(true);
      const last = [nats.pid ?? 0, postgres.pid ?? 0];
      await cluster.stop();
      expect(await Promise.all(last.map(identify))).toEqual([undefined, undefined]);
    } finally {
      await cluster.stop();
      rmSync(folder, { recursive: true, force: true });
    }
  }, 60_000);
});

it('shows URLs without their secrets', () => {
  expect(withoutSecrets('postgres://u:p@h:1/d?password=x&a=1')).toBe('postgres://h:1/d?password=…&a=1');
  expect(withoutSecrets('nats://tok@h:4222,nats://h2:4222')).toBe('nats://h:4222,nats://h2:4222');
});
