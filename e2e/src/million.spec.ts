import { readFileSync, readdirSync } from 'node:fs';
import { script, testCluster, until, type TestCluster } from './harness.js';

const million = 1_000_000;
const rssBytesMax = 400 * 1024 * 1024;

let running: TestCluster;
beforeAll(async () => {
  running = await testCluster({ nodes: 2, slots: 1 });
});
afterAll(() => running.stop());

/** Largest resident memory so far of every process that serves this cluster: its nodes, their workers, NATS and Postgres. */
function peaks(): Array<{ readonly pid: string; readonly bytes: number; readonly command: string }> {
  const roots = new Set([
    ...running.cluster.nodes.map(({ pid }) => String(pid)),
    String(running.cluster.nats!.pid),
    String(running.cluster.postgres!.pid),
  ]);
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.flatMap((pid) => {
    try {
      const status = readFileSync(`/proc/${pid}/status`, 'utf8');
      const parent = /^PPid:\s+(\d+)/m.exec(status)?.[1] ?? '';
      if (!roots.has(pid) && !roots.has(parent)) return [];
      const bytes = Number(/^VmHWM:\s+(\d+)/m.exec(status)?.[1] ?? 0) * 1024;
      return [{ pid, bytes, command: readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').slice(0, 80) }];
    } catch {
      return [];
    }
  });
}

it('maps a million items in bounded memory', async () => {
  const text = function* (): Generator<string> {
    for (let from = 0; from < million; from += 10_000) {
      let chunk = '';
      for (let i = from; i < from + 10_000; i += 1) chunk += `{"i":${i}}\n`;
      yield chunk;
    }
  };
  const begin = Date.now();
  const job = await running
    .node(1)
    .upload(
      { code: script('def map(item):\n    return item["i"]\n'), input: { format: 'ndjson' } },
      new Blob([...text()]),
    );
  const view = await until('it has ended', async () => {
    const now = await running.node(2).view(job.id);
    return now.finishedAt === undefined ? undefined : now;
  });
  const wallMs = Date.now() - begin;
  expect(view).toMatchObject({ state: 'succeeded', items: { total: million, committed: million } });
  const result = (await running.node(2).results(job.id)).split('\n');
  expect(result).toHaveLength(million + 1);
  for (let i = 0; i < million; i += 1) if (result[i] !== String(i)) throw new Error(`line ${i} is ${result[i]}`);
  const all = peaks();
  expect(all.length).toBeGreaterThan(6);
  expect(all.filter(({ bytes }) => bytes > rssBytesMax)).toEqual([]);
  const worst = Math.max(...all.map(({ bytes }) => bytes)) / 2 ** 20;
  process.stdout.write(`1,000,000 items: ${(wallMs / 1000).toFixed(1)} s; largest process ${worst.toFixed(0)} MB\n`);
});
