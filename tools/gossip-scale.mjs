// Simulates gossip among up to 5,000 members and writes docs/gossip.md with its plots. `--quick` (ten seconds) only prints the tables;
// `--full` writes them; `--render` draws docs/gossip/figures.json again. `--seed N`: same seed, same bytes.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { plotsOf } from './gossip-scale/figures.mjs';
import { plans, runPlan } from './gossip-scale/plan.mjs';
import { report, tables } from './gossip-scale/report.mjs';

const docs = join(import.meta.dirname, '..', 'docs');
const file = join(docs, 'gossip', 'figures.json');
const args = process.argv.slice(2);
const seedAt = args.indexOf('--seed');
const seed = seedAt < 0 ? 1 : Number(args[seedAt + 1]);
if (!Number.isSafeInteger(seed) || seed < 0) {
  console.error('gossip-scale: --seed needs a number from 0');
  process.exit(2);
}

function run(plan) {
  const began = performance.now();
  return runPlan(plan, seed, (what) => {
    const taken = ((performance.now() - began) / 1_000).toFixed(0).padStart(4);
    const megabytes = Math.round(process.memoryUsage.rss() / 1e6);
    process.stderr.write(`${taken} s ${String(megabytes).padStart(5)} MB  ${what}\n`);
  });
}

async function write(path, content, parser) {
  const options = await resolveConfig(path);
  writeFileSync(path, parser === undefined ? content : await format(content, { ...options, parser }));
}

async function writeAll(figures) {
  mkdirSync(join(docs, 'gossip'), { recursive: true });
  await write(file, JSON.stringify(figures), 'json');
  for (const [name, svg] of Object.entries(plotsOf(figures))) await write(join(docs, 'gossip', name), svg);
  await write(join(docs, 'gossip.md'), report(figures), 'markdown');
  console.log(`${join(docs, 'gossip.md')} written`);
}

if (args.includes('--render')) await writeAll(JSON.parse(readFileSync(file, 'utf8')));
else if (args.includes('--full')) await writeAll(run(plans.full));
else console.log(await format(tables(run(plans.quick)).join('\n\n'), { parser: 'markdown' }));
