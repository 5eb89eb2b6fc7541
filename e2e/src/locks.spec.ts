import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from '@nats-io/transport-node';
import type { LockView, Problem } from '@das/contracts';
import type { Refused, Rest } from './rest.js';
import { script, testCluster, until, type TestCluster } from './harness.js';

let running: TestCluster;
/** Files of the scripts, whose account is not ours. */
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'das-e2e-locks-'));
  await chmod(folder, 0o777);
  running = await testCluster({ env: { DAS_SCRIPT_WRITES: folder } });
});
afterAll(async () => {
  await running?.stop();
  await rm(folder, { recursive: true, force: true });
});

const lock = (rest: Rest, name: string, body: object): Promise<LockView> =>
  rest.json(`/v1/locks/${name}`, { method: 'PUT', body: JSON.stringify(body) });
const release = (rest: Rest, name: string, token: string): Promise<{ released: boolean }> =>
  rest.json(`/v1/locks/${name}?token=${token}`, { method: 'DELETE' });
const problemOf = (asked: Promise<unknown>): Promise<Problem> =>
  asked.then(
    () => Promise.reject(new Error('it was not refused')),
    (error: Refused) => error.problem,
  );

const counting = [
  'import das',
  'def map(item, params):',
  '    with das.lock("counter", limit=30, wait=60) as lock:',
  '        with open(params["path"]) as file: count = int(file.read())',
  '        with open(params["path"], "w") as file: file.write(str(count + 1))',
  '        return lock.fence',
].join('\n');

const holding = [
  'import das, os, time',
  'def main(params):',
  '    with das.lock("held", limit=600, wait=60) as lock:',
  '        if das.attempt == 1:',
  '            os.close(os.open(params["path"], os.O_CREAT))',
  '            time.sleep(600)',
  '        return lock.fence',
].join('\n');

it('counts every item once when scripts on all nodes count under one lock', async () => {
  const items = 36;
  const path = join(folder, 'counter');
  await writeFile(path, '0');
  await chmod(path, 0o666);
  const job = await running.node(1).submit({
    ...{ code: script(counting), input: { range: [0, items] }, params: { path }, itemsPerPart: 3 },
  });
  const { state, items: done } = await running.ended(job.id);
  expect([state, done.failed]).toEqual(['succeeded', 0]);
  const fences = (await running.node(2).results(job.id)).trim().split('\n').map(Number);
  const nodes = new Set((await running.node(1).parts(job.id)).flatMap((part) => part.attempts.map(({ node }) => node)));
  expect([await readFile(path, 'utf8'), new Set(fences).size, nodes.size > 1]).toEqual([`${items}`, items, true]);
});

it('is given, refused and given back by REST and NATS alike', async () => {
  const [one, two] = [running.node(1), running.node(2)];
  const mine = await lock(one, 'by-hand', { limit: 60 });
  expect(await problemOf(lock(two, 'by-hand', {}))).toMatchObject({ code: 'LOCK_HELD', status: 409 });
  const nats = await connect({ servers: running.cluster.natsUrl, token: running.cluster.token });
  try {
    const ask = async (verb: string, body: object) =>
      (await nats.request(`das.v1.locks.${verb}`, JSON.stringify(body), { timeout: 20_000 })).json<
        LockView & Problem
      >();
    expect((await ask('renew', { name: 'by-hand', token: mine.token, limit: 90 })).fence).toBe(mine.fence);
    const waiting = ask('acquire', { name: 'by-hand', wait: 15 });
    expect((await release(two, 'by-hand', mine.token)).released).toBe(true);
    const next = await waiting;
    expect(next.fence).toBeGreaterThan(mine.fence);
    expect(await ask('release', { name: 'by-hand', token: next.token })).toMatchObject({ released: true });
  } finally {
    await nats.close();
  }
});

it('is free for others when the node of its holder is killed, long before its limit', async () => {
  const leader = (await running.node(1).leader()).leader;
  const [victim = 0, watcher = 0] = [1, 2, 3].filter((node) => `node-${node}` !== leader);
  const path = join(folder, 'held');
  const rest = running.node(watcher);
  const job = await running.node(victim).submit({ code: script(holding), params: { path } });
  await until('the script holds the lock', async () => readFile(path));
  const { detail } = await problemOf(lock(rest, 'held', { token: 'next' }));
  expect(detail).toContain(`is held by attempt 1 of main:0-1 of job ${job.id} on node-${victim} until`);
  await running.cluster.node(`node-${victim}`).kill('SIGKILL');
  // Whoever is first, this client or the script's next attempt: the other one waits for it.
  const next = await lock(rest, 'held', { token: 'next', wait: 30 });
  expect(next.fence).toBeGreaterThan(1);
  await release(rest, 'held', 'next');
  expect((await running.ended(job.id, watcher)).state).toBe('succeeded');
  const fence = Number(await rest.results(job.id));
  expect([fence, next.fence].sort()).toEqual([2, 3]);
});
