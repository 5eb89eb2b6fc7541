import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { type Cluster, startCluster } from '@das/supervisor';

const program = resolve(__dirname, '../dist/main.js');
const services = ['election', 'executor', 'job-splitter', 'membership', 'results-store', 'telemetry'];

describe('a built node', () => {
  let home: string;
  let cluster: Cluster | undefined;
  beforeEach(() => {
    // Jest runs the sources of this project; a node is several, so it is tried as it is built.
    if (!existsSync(program)) throw new Error('build first: npx tsc -b');
    home = mkdtempSync(join(tmpdir(), 'das-node-'));
  });
  afterEach(async () => {
    await cluster?.stop();
    cluster = undefined;
    rmSync(home, { recursive: true, force: true });
  });

  const env = { PATH: process.env['PATH'] };
  const start = async (split: boolean): Promise<Cluster> =>
    (cluster = await startCluster({ home, nodes: ['node-1'], split, revive: false, env }));
  const ready = async () => (await (await fetch(`${cluster?.urls[0]}/health/ready`)).json()) as { ready: boolean };
  const pidsOf = () => readdirSync(join(home, 'pids')).sort();

  it('hosts its services in one process', async () => {
    await start(false);
    expect(await ready()).toEqual({ ready: true, reasons: [] });
    expect(existsSync(join(home, 'pids'))).toBe(false);
  }, 60_000);

  it('hosts each service in a process of its own, which comes back when it is killed', async () => {
    await start(true);
    expect(await ready()).toEqual({ ready: true, reasons: [] });
    expect(pidsOf()).toEqual(services.map((service) => `node-1-${service}.pid`));
    const pids = pidsOf().map((file) => Number(readFileSync(join(home, 'pids', file), 'utf8')));
    const splitter = join(home, 'pids', 'node-1-job-splitter.pid');
    const first = Number(readFileSync(splitter, 'utf8'));
    process.kill(first, 'SIGKILL');
    const back = async () =>
      (await ready().catch(() => ({ ready: false }))).ready && Number(readFileSync(splitter, 'utf8')) !== first;
    for (const until = Date.now() + 20_000; !(await back()) && Date.now() < until;)
      await new Promise((done) => setTimeout(done, 50));
    expect(await ready()).toEqual({ ready: true, reasons: [] });
    await cluster?.stop();
    for (const pid of pids) expect(() => process.kill(pid, 0)).toThrow();
  }, 90_000);

  it.each([
    [{ DAS_NODE: 'a.b' }, 2, /^error: .*DAS_NODE/],
    [{ DAS_NODE_SERVICES: 'gateway' }, 2, /^error: DAS_NODE_SERVICES/],
    [
      { DAS_NATS_URL: 'nats://127.0.0.1:1', DAS_CONNECT_TIMEOUT_MS: '300' },
      1,
      /^error: .*could not start: .*127\.0\.0\.1:1/,
    ],
  ])(
    'says in one line why it cannot start: %p',
    async (more, code, why) => {
      const child = spawn(process.execPath, [program], {
        env: { ...env, DAS_NODE: 'node-1', DAS_HOME: home, DAS_TOKEN: 'x'.repeat(20), DAS_NATS_TOKEN: 'x', ...more },
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      const [out, err, [exit]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
      const readable = err.split('\n').filter((line) => line !== '' && !line.startsWith('{'));
      expect([exit, out, readable]).toEqual([code, '', [expect.stringMatching(why)]]);
    },
    30_000,
  );
});
