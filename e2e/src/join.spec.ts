import { execFileSync, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { repository, until } from './harness.js';

/** Two "machines" of the test's own: network namespaces joined by one cable, gone afterwards. */
const tag = `das${process.pid % 100_000}`;
const [first, second] = [`${tag}a`, `${tag}b`];
const [firstAddress, secondAddress] = ['10.213.7.1', '10.213.7.2'];
const ip = (...args: string[]): void => void execFileSync('ip', args, { stdio: 'pipe' });

function layCable(): void {
  for (const space of [first, second]) {
    ip('netns', 'add', space);
    ip('-n', space, 'link', 'set', 'lo', 'up');
  }
  ip('-n', first, 'link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', second);
  for (const [space, address] of [
    [first, firstAddress],
    [second, secondAddress],
  ] as const) {
    ip('-n', space, 'addr', 'add', `${address}/24`, 'dev', 'eth0');
    ip('-n', space, 'link', 'set', 'eth0', 'up');
  }
}

const cli = join(repository, 'apps/cli/dist/main.js');
let folder: string;
const started: ChildProcess[] = [];

/** A command on one of the machines. */
function on(
  space: string,
  home: string,
  args: readonly string[],
): { child: ChildProcess; out: () => string; ended: Promise<number | null> } {
  const env = { ...process.env, DAS_HOME: join(folder, home), DAS_SLOTS: '1' };
  const child = spawn('ip', ['netns', 'exec', space, process.execPath, cli, ...args], {
    cwd: folder,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (text += String(chunk)));
  const ended = new Promise<number | null>((done) => child.once('close', done));
  started.push(child);
  return { child, out: () => text, ended };
}

/** Laying a cable needs root; elsewhere the test says so instead of passing. */
const root = process.getuid?.() === 0;
const whenRoot = root ? it : it.skip;
if (!root) process.stdout.write('two machines are not tried: network namespaces need root\n');

beforeAll(async () => {
  if (!root) return;
  folder = await mkdtemp(join(tmpdir(), 'das-join-'));
  layCable();
});
afterAll(async () => {
  if (!root) return;
  for (const child of started) if (child.exitCode === null) child.kill('SIGTERM');
  const gone = started.map(async (child) => {
    if (child.exitCode === null) await new Promise((done) => child.once('close', done));
  });
  await Promise.all(gone);
  for (const space of [first, second]) spawnSync('ip', ['netns', 'del', space]);
  await rm(folder, { recursive: true, force: true });
});

whenRoot('adds a second machine by its address and token, and uses it', async () => {
  const up = on(first, 'one', ['up', '--nodes', '1', '--bind', firstAddress]);
  const line = await until(
    'the join line is printed',
    async () => /das join (\S+) (--token \S+)/.exec(up.out()) ?? undefined,
  );
  const joined = on(second, 'two', [
    'join',
    line[1]!,
    ...line[2]!.split(' '),
    '--name',
    'far',
    '--bind',
    secondAddress,
  ]);
  await until('the second machine is ready', async () => (joined.out().includes('ready') ? true : undefined));

  await writeFile(
    join(folder, 'where.py'),
    'import das, time\ndef map(n):\n    time.sleep(0.05)\n    return das.node\n',
  );
  const run = on(second, 'two', ['run', 'where.py', '--range', '0:60', '--items-per-part', '2', '--output', 'out.txt']);
  expect(await run.ended).toBe(0);
  const nodes = new Set(
    (await readFile(join(folder, 'out.txt'), 'utf8'))
      .trimEnd()
      .split('\n')
      .map((text) => JSON.parse(text) as string),
  );
  expect([...nodes].sort()).toEqual(['far', 'node-1']);

  const wrong = on(second, 'three', ['join', line[1]!, '--token', 'wrong', '--name', 'stranger']);
  expect(await wrong.ended).not.toBe(0);
  expect(wrong.out()).not.toMatch(/\bat .*\.js:\d+/);
});
