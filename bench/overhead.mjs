// What a job costs beside its own work. `node bench/overhead.mjs [--runs 3] [--seconds 10]`; figures go to bench/results/overhead.json
import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { machine, median, spin, withCluster } from './lib/cluster.mjs';

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '10' },
  },
});
const runs = Number(values.runs);
const seconds = Number(values.seconds);
const slots = 2;
const run = promisify(execFile);
const pool = join(import.meta.dirname, 'lib/pool.py');

/** Items of one size that keep two slots busy for the asked seconds; a million at most. */
const sizes = [0, 0.1, 1, 10].map((ms) => ({
  ms,
  items: ms === 0 ? 1_000_000 : Math.round((seconds * 1000 * slots) / ms),
}));

const efficiency = (ms, items, wallMs) => (items * ms) / slots / wallMs;
const report = { machine: machine(), runs, slots, throughput: [] };

await withCluster({ nodes: 1, slots }, async (das) => {
  for (const { ms, items } of sizes) {
    const submission = { code: { text: spin(ms) }, input: { range: [0, items] } };
    const mine = [];
    const theirs = [];
    for (let round = 0; round < runs; round += 1) {
      const { result, wallMs } = await das.timed(submission);
      if (result.split('\n').length !== items + 1) throw new Error('results are missing');
      mine.push(wallMs);
      const chunk = String(Math.max(1, Math.round(items / slots / 16)));
      const { stdout } = await run('/usr/bin/python3', [pool, String(ms), String(items), String(slots), chunk]);
      theirs.push(Number(stdout));
    }
    const ratios = mine.map((wall, index) => theirs[index] / wall);
    const row = {
      itemMs: ms,
      items,
      usPerItem: (median(mine) / items) * 1000,
      efficiency: efficiency(ms, items, median(mine)),
      poolEfficiency: efficiency(ms, items, median(theirs)),
      throughputOfPool: median(ratios),
      rawMs: { das: mine, pool: theirs },
    };
    report.throughput.push(row);
    console.log(
      `${String(ms).padStart(4)} ms × ${items}: ${row.usPerItem.toFixed(2)} µs an item, efficiency ${(row.efficiency * 100).toFixed(1)} % ` +
        `(Pool ${(row.poolEfficiency * 100).toFixed(1)} %), ${row.throughputOfPool.toFixed(3)} of Pool's throughput`,
    );
  }
});

const results = join(import.meta.dirname, 'results');
await mkdir(results, { recursive: true });
await writeFile(join(results, 'overhead.json'), `${JSON.stringify(report, undefined, 1)}\n`);
