import { execFile } from 'node:child_process';
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { KeysView, Member, MembersView } from '@das/contracts';
import { lines, repository, script, sleepy, testCluster, until, type TestCluster } from './harness.js';

const run = promisify(execFile);
const names = ['node-1', 'node-2', 'node-3'];
const items = 200;
const slow = { code: script(sleepy(0.08)), input: { range: [0, items] }, itemsPerPart: 2 };
const result = lines(items, (index) => index * 2);

/** Its items end when a file is there. */
const waiting = (file: string): string => `import os, time
def map(item):
    while not os.path.exists(${JSON.stringify(file)}):
        time.sleep(0.05)
    return item * 2
`;

let running: TestCluster;
/** Where scripts may look for files. */
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'das-e2e-gossip-'));
  await chmod(folder, 0o755);
  // Missed heartbeats of executors would take a minute to tell of a death: only gossip does here.
  running = await testCluster({ env: { DAS_NODE_LOST_MS: '60000', DAS_SCRIPT_READS: folder } });
});
afterAll(async () => {
  await running.stop();
  await rm(folder, { recursive: true, force: true });
});

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The command line, asking the given node. */
async function das(args: readonly string[], node = 1, of = running): Promise<Ended> {
  const env = { ...process.env, DAS_URL: of.node(node).url, DAS_TOKEN_FILE: of.cluster.tokenFile };
  const options = { env, cwd: of.home };
  return run(process.execPath, [join(repository, 'apps/cli/dist/main.js'), ...args], options).then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    (ended: Ended) => ended,
  );
}
const members = async (node = 1, of = running): Promise<readonly Member[]> =>
  (await of.node(node).json<MembersView>('/v1/members')).members;
async function states(node = 1): Promise<Record<string, string>> {
  return Object.fromEntries((await members(node)).map((member) => [member.node, member.state]));
}
const everyone = (state: string) => Object.fromEntries(names.map((name) => [name, state]));
const become = (node: number, name: string, state: string): Promise<true> =>
  until(`${name} is ${state} for node-${node}`, async () => ((await states(node))[name] === state ? true : undefined));

/** How many deaths all nodes together declared, from their logs. A suspicion that is refuted is no harm, and comes on a busy machine. */
async function deaths(): Promise<number> {
  const logs = await Promise.all(names.map((name) => readFile(join(running.home, 'log', `${name}.log`), 'utf8')));
  return logs.flatMap((log) => [...log.matchAll(/"message":"node-\d is dead"/g)]).length;
}

/** The process in which a node's membership runs. */
async function membershipPid(name: string): Promise<number> {
  const split = await readFile(join(running.home, 'pids', `${name}-membership.pid`), 'utf8').catch(() => undefined);
  return split === undefined ? running.cluster.node(name).pid : Number(split);
}

describe('three nodes by gossip', () => {
  it('know each other, and say so', async () => {
    const shown = await until('every service is up', async () => {
      const { code, stdout } = await das(['members', '--wide']);
      const services = 'election,executor,job-splitter,membership,results-store,telemetry';
      return code === 0 && stdout.split(services).length === 4 ? stdout : undefined;
    });
    for (const name of names) expect(shown).toMatch(new RegExp(`${name} +alive`));
    expect(shown).toContain('gossip  encrypted, profile cluster');
    const { stdout } = await das(['members', '--json'], 3);
    const view = JSON.parse(stdout) as MembersView;
    expect(view.by).toBe('node-3');
    expect(view.members.map(({ node, state, slots, rest }) => [node, state, slots, rest])).toEqual(
      [1, 2, 3].map((node) => [`node-${node}`, 'alive', 2, running.node(node).url]),
    );
  });

  it('have keys that only their owner may read, the same on all', async () => {
    const files = names.map((name) => join(running.home, 'gossip', `${name}.keyring`));
    const rings = await Promise.all(files.map((file) => readFile(file, 'utf8')));
    expect(new Set(rings).size).toBe(1);
    for (const file of files) expect((await stat(file)).mode & 0o777).toBe(0o600);
  });

  it('hold nobody for dead who stood still for 600 ms', async () => {
    const before = await deaths();
    const pid = await membershipPid('node-2');
    process.kill(pid, 'SIGSTOP');
    await new Promise((done) => setTimeout(done, 600));
    process.kill(pid, 'SIGCONT');
    // Longer than a suspicion lasts.
    await new Promise((done) => setTimeout(done, 3_000));
    for (const node of [1, 2, 3]) expect(await states(node)).toEqual(everyone('alive'));
    expect(await deaths()).toBe(before);
  });

  it('change their key while a job runs, and nobody notices', async () => {
    const before = await deaths();
    const gate = join(folder, 'go-on');
    const job = await running.node(2).submit({ ...slow, code: script(waiting(gate)) });
    await until('parts of it run', async () => {
      const parts = await running.node(2).parts(job.id);
      return parts.some(({ attempts }) => attempts.some(({ state }) => state === 'live')) ? true : undefined;
    });
    const [fresh, old] = [(await das(['gossip', 'keys', 'generate'])).stdout.trim(), await primaryOf(2)];
    const early = await das(['gossip', 'keys', 'use', fresh]);
    expect([early.code, early.stderr]).toEqual([1, expect.stringContaining('not known to be installed on node-1')]);
    for (const [action, key] of [
      ['install', fresh],
      ['use', fresh],
      ['remove', old],
    ] as const)
      expect((await das(['gossip', 'keys', action, key], 3)).code).toBe(0);
    expect((await running.node(2).view(job.id)).state).toBe('running');
    await writeFile(gate, '');
    const view = await running.node(1).json<KeysView>('/v1/gossip/keys');
    expect(view.nodes.map(({ node, keys }) => [node, keys.length, keys[0]?.fingerprint === old])).toEqual(
      names.map((name) => [name, 1, false]),
    );
    const primary = await das(['gossip', 'keys', 'remove', fresh]);
    expect([primary.code, primary.stderr]).toEqual([1, expect.stringContaining('encrypts on node-1, node-2, node-3')]);
    const ring = JSON.parse(await readFile(join(running.home, 'gossip', 'node-3.keyring'), 'utf8')) as unknown;
    expect(ring).toEqual({ edition: 3, keys: [fresh] });
    expect((await running.ended(job.id, 2)).state).toBe('succeeded');
    expect(await running.node(2).results(job.id)).toBe(result);
    expect(await deaths()).toBe(before);
    const logs = await Promise.all(names.map((name) => readFile(join(running.home, 'log', `${name}.log`), 'utf8')));
    expect(logs.join('')).not.toContain(fresh);
  });

  it('hold nobody for dead while NATS is away', async () => {
    const before = await deaths();
    await running.cluster.nats!.kill();
    await new Promise((done) => setTimeout(done, 5_000));
    await running.cluster.nats!.restart();
    for (const node of [1, 2, 3])
      await until(`node-${node} answers again`, async () => ((await members(node)).length === 3 ? true : undefined));
    for (const node of [1, 2, 3]) expect(await states(node)).toEqual(everyone('alive'));
    expect(await deaths()).toBe(before);
  });

  it('do not mix with a second cluster on the same machine', async () => {
    const other = await testCluster({ nodes: 2 });
    try {
      expect((await members(1, other)).map(({ node }) => node)).toEqual(['node-1', 'node-2']);
      expect(await states(1)).toEqual(everyone('alive'));
      const addresses = [...(await members(1)), ...(await members(1, other))].map(({ address }) => address);
      expect(new Set(addresses).size).toBe(5);
    } finally {
      await other.stop();
    }
    expect(await states(1)).toEqual(everyone('alive'));
  });

  it('hear a goodbye at SIGTERM, and of the return to the same place', async () => {
    const before = (await members(1)).find(({ node }) => node === 'node-3');
    await running.cluster.node('node-3').kill('SIGTERM');
    await become(1, 'node-3', 'left');
    await running.cluster.node('node-3').restart();
    await become(1, 'node-3', 'alive');
    const after = (await members(1)).find(({ node }) => node === 'node-3');
    expect(after?.address).toBe(before?.address);
    expect(after?.startedAt).toBeGreaterThan(before?.startedAt ?? 0);
  });

  it('give the work of a killed node to others as soon as gossip knows', async () => {
    const leader = (await running.node(1).leader()).leader!;
    const victim = names.find((name) => name !== leader && name !== 'node-1')!;
    const job = await running.node(1).submit(slow);
    const held = await until(`${victim} holds a live attempt`, async () => {
      const live = (await running.node(1).parts(job.id)).filter(({ attempts }) =>
        attempts.some(({ node, state }) => node === victim && state === 'live'),
      );
      return live.length > 0 ? live.map(({ part }) => part) : undefined;
    });
    const [at, before] = [Date.now(), await deaths()];
    await running.cluster.node(victim).kill('SIGKILL');
    await become(1, victim, 'dead');
    expect(Date.now() - at).toBeLessThan(5_000);
    expect((await running.ended(job.id, 1)).state).toBe('succeeded');
    expect(await running.node(1).results(job.id)).toBe(result);
    expect(await deaths()).toBe(before + 2);
    const after = (await running.node(1).parts(job.id)).filter(({ part }) => held.includes(part));
    for (const { attempts } of after) {
      if (attempts.some(({ node, state }) => node === victim && state === 'committed')) continue;
      const next = attempts.find(({ node, startedAt }) => node !== victim && startedAt >= at);
      expect((next?.startedAt ?? Infinity) - at).toBeLessThan(5_000);
    }
  });
});

/** Fingerprint of the key that encrypts on a node. */
async function primaryOf(node: number): Promise<string> {
  const { nodes } = await running.node(node).json<KeysView>('/v1/gossip/keys');
  const found = nodes.find((one) => one.node === `node-${node}`)?.keys.find(({ primary }) => primary);
  if (found === undefined) throw new Error(`node-${node} has no key`);
  return found.fingerprint;
}
