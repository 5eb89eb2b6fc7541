import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ServiceName } from '@das/platform';
import { lines, script, sleepy, testCluster, until, type TestCluster } from './harness.js';

const items = 160;
const slow = { code: script(sleepy(0.08)), input: { range: [0, items] }, itemsPerPart: 2 };

let running: TestCluster;
beforeAll(async () => {
  running = await testCluster({ split: true });
});
afterAll(() => running.stop());

const pidOf = async (node: string, service: ServiceName): Promise<number> =>
  Number(await readFile(join(running.home, 'pids', `${node}-${service}.pid`), 'utf8'));

describe('each service on its own', () => {
  it.each<ServiceName>(['membership', 'election', 'job-splitter', 'executor', 'results-store', 'telemetry'])(
    '%s of the leader is killed in mid-job and comes back; the job does not notice',
    async (service) => {
      const { leader } = await running.node(1).leader();
      const contact = leader === 'node-1' ? 2 : 1;
      const rest = running.node(contact);
      const job = await rest.submit(slow);
      const midway = await until('a fifth is committed', async () => {
        const now = await rest.view(job.id);
        return now.items.committed >= items * 0.2 ? now : undefined;
      });
      expect(midway.items.committed).toBeLessThanOrEqual(items * 0.8);
      const pid = await pidOf(leader!, service);
      process.kill(pid, 'SIGKILL');
      expect((await running.ended(job.id, contact)).state).toBe('succeeded');
      expect(await rest.results(job.id)).toBe(lines(items, (index) => index * 2));
      await until('it runs again', async () => {
        const now = await pidOf(leader!, service);
        return now !== pid && process.kill(now, 0) ? true : undefined;
      });
    },
  );

  it('serves one cluster by several stores and front doors', async () => {
    const pids = await Promise.all([1, 2, 3].map((node) => pidOf(`node-${node}`, 'results-store')));
    expect(new Set(pids).size).toBe(3);
    const job = await running
      .node(1)
      .submit({ code: script('def map(x):\n    return x\n'), input: { range: [0, 50] } });
    await running.ended(job.id, 2);
    process.kill(pids[0]!, 'SIGKILL');
    process.kill(pids[1]!, 'SIGKILL');
    const results = await Promise.all([1, 2, 3].map((node) => running.node(node).results(job.id)));
    expect(new Set(results).size).toBe(1);
  });
});
