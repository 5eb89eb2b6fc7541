import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { MembersView } from '@das/contracts';
import { until } from './harness.js';
import { TwoMachines, canLayCables, ip } from './two-machines.js';

const machines = new TwoMachines('g', 8);
const { first, second, firstAddress, secondAddress } = machines;
const whenRoot = canLayCables ? it : it.skip;

beforeAll(() => machines.make());
afterAll(() => machines.remove());

/** `{ name: [state, ip] }` as the node of a machine sees it. */
async function seen(space: string): Promise<Record<string, [string, string]>> {
  const asked = machines.on(space, ['members', '--json']);
  await asked.ended;
  const { members } = JSON.parse(asked.out()) as MembersView;
  return Object.fromEntries(members.map(({ node, state, address }) => [node, [state, address.split(':')[0] ?? '']]));
}

async function keysOf(space: string): Promise<unknown> {
  const gossip = join(machines.folder, space, 'gossip');
  const file = (await readdir(gossip)).find((name) => name.endsWith('.keyring')) ?? '';
  return JSON.parse(await readFile(join(gossip, file), 'utf8')) as unknown;
}

whenRoot(
  'a machine that joins gossips with the others, encrypted, and finds back after its cable was cut',
  async () => {
    const up = machines.on(first, ['up', '--nodes', '1', '--bind', firstAddress]);
    const line = await up.printed(/das join (\S+) --token (\S+)/);
    // Without --bind: REST stays on loopback, gossip takes the address that reaches the cluster.
    const joined = machines.on(second, ['join', line[1]!, '--token', line[2]!, '--name', 'far']);
    await joined.printed(/ready/);

    const whole = { 'node-1': ['alive', firstAddress], far: ['alive', secondAddress] };
    for (const space of [first, second])
      await until(`${space} sees both`, async () => {
        const now = await seen(space);
        return now['far']?.[0] === 'alive' && now['node-1']?.[0] === 'alive' ? true : undefined;
      });
    expect([await seen(first), await seen(second)]).toEqual([whole, whole]);
    expect(await keysOf(second)).toEqual(await keysOf(first));

    ip('-n', first, 'link', 'set', 'eth0', 'down');
    await until('the far machine is dead', async () => ((await seen(first))['far']?.[0] === 'dead' ? true : undefined));
    ip('-n', first, 'link', 'set', 'eth0', 'up');
    await until('it is alive again', async () => ((await seen(first))['far']?.[0] === 'alive' ? true : undefined));
    await until('for itself too', async () => ((await seen(second))['node-1']?.[0] === 'alive' ? true : undefined));
  },
);
