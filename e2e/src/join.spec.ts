import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { TwoMachines, canLayCables } from './two-machines.js';

const machines = new TwoMachines('j', 7);
const { first, second } = machines;
const whenRoot = canLayCables ? it : it.skip;

beforeAll(() => machines.make());
afterAll(() => machines.remove());

whenRoot('adds a second machine by its address and token, and uses it', async () => {
  const up = machines.on(first, ['up', '--nodes', '1', '--bind', machines.firstAddress]);
  const line = await up.printed(/das join (\S+) (--token \S+)/);
  const joined = machines.on(second, [
    'join',
    line[1]!,
    ...line[2]!.split(' '),
    '--name',
    'far',
    '--bind',
    machines.secondAddress,
  ]);
  await joined.printed(/ready/);

  await writeFile(
    join(machines.folder, 'where.py'),
    'import das, time\ndef map(n):\n    time.sleep(0.05)\n    return das.node\n',
  );
  const run = machines.on(second, [
    'run',
    'where.py',
    '--range',
    '0:60',
    '--items-per-part',
    '2',
    '--output',
    'out.txt',
  ]);
  expect(await run.ended).toBe(0);
  const nodes = new Set(
    (await readFile(join(machines.folder, 'out.txt'), 'utf8'))
      .trimEnd()
      .split('\n')
      .map((text) => JSON.parse(text) as string),
  );
  expect([...nodes].sort()).toEqual(['far', 'node-1']);

  const wrong = machines.on(second, ['join', line[1]!, '--token', 'wrong', '--name', 'stranger'], 'another-home');
  expect(await wrong.ended).not.toBe(0);
  expect(wrong.out()).not.toMatch(/\bat .*\.js:\d+/);
});
