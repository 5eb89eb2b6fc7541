// Random faults on real clusters while a job runs: `node tools/reliability.mjs [--runs 30] [--nodes 5] [--seconds 60] [--seed N] [--strategy bully|raft|lease]
// [--processes single|split] [--slots 2] [--no-baseline] [--logs] [--out docs/reliability.md] [--json FILE]`. The seed of a run replays its faults: `--seed N --runs 1`.
// Exit code 1 when something was lost, twice, stuck or left behind; 2 for wrong options. `npm run build` first.
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { machine } from '../bench/lib/cluster.mjs';
import { missed, percent, performRuns, summary, table, usualPace } from '../libs/testing/dist/reliability.js';
import { leftovers } from './leftovers.mjs';

const root = dirname(import.meta.dirname);
const strategies = ['bully', 'raft', 'lease'];
const layouts = ['single', 'split'];

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '30' },
    nodes: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '60' },
    slots: { type: 'string', default: '2' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 1_000_000)) },
    strategy: { type: 'string', default: 'bully' },
    processes: { type: 'string', default: 'single' },
    'no-baseline': { type: 'boolean', default: false },
    logs: { type: 'boolean', default: false },
    out: { type: 'string' },
    json: { type: 'string' },
  },
});

function number(name, least, most) {
  const value = Number(values[name]);
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  return usage(`--${name} takes a whole number from ${least} to ${most}, not "${values[name]}"`);
}
function oneOf(name, allowed) {
  return allowed.includes(values[name])
    ? values[name]
    : usage(`--${name} takes one of ${allowed.join(', ')}, not "${values[name]}"`);
}
function usage(why) {
  console.error(`error: ${why}`);
  process.exit(2);
}

const interrupted = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => interrupted.abort());

const options = {
  runs: number('runs', 1, 1_000),
  nodes: number('nodes', 3, 15),
  seconds: number('seconds', 5, 3_600),
  slots: number('slots', 1, 16),
  seed: number('seed', 0, 2 ** 31),
  strategy: oneOf('strategy', strategies),
  processes: oneOf('processes', layouts),
};

const runs = await performRuns({
  ...options,
  pace: usualPace,
  baseline: !values['no-baseline'],
  logs: values.logs,
  keep: join(root, '.das/reliability'),
  leftovers,
  note: (line) => console.log(line),
  signal: interrupted.signal,
}).catch((error) => {
  if (!interrupted.signal.aborted) throw error;
  console.error('interrupted; the cluster is stopped');
  process.exit(130);
});
const told = summary(runs);
const report = { machine: machine(), options, summary: told, missed: missed(told, options.strategy), runs };

console.log(`\n${table(told)}\n\n${headline(report)}`);
for (const line of report.missed) console.log(`bound not kept: ${line}`);
const name = `reliability-${options.strategy}-${options.processes}`;
const json = values.json ?? join(root, 'bench/results', `${name}.json`);
await mkdir(dirname(json), { recursive: true });
await writeFile(json, `${JSON.stringify(report, undefined, 1)}\n`);
if (values.out !== undefined) await writeSection(values.out, name, section(report));
process.exitCode = told.violations > 0 ? 1 : 0;

function headline({ summary: { runs: made, faults, violations, extra, wall } }) {
  const clean =
    violations === 0 ? 'nothing lost, nothing twice, nothing stuck, nothing left behind' : `${violations} VIOLATIONS`;
  const cost =
    extra === undefined
      ? ''
      : ` Wall time beyond the run without faults: ${percent((wall.faultsMs - wall.baselineMs) / wall.baselineMs)}; without the lost work: median ${percent(extra.median)}, worst ${percent(extra.worst)}.`;
  return `${made} runs, ${faults} faults: ${clean}.${cost}`;
}

function section(whole) {
  const { machine: on, options: asked } = whole;
  const what = `\`--strategy ${asked.strategy} --processes ${asked.processes}\`: ${asked.nodes} nodes of ${asked.slots} slots, a job of ${asked.seconds} s, seeds ${asked.seed} to ${asked.seed + asked.runs - 1}`;
  const where = `${on.cores} cores (${on.model}), ${on.memoryGiB} GiB, Node ${on.node}, ${on.date.slice(0, 10)}`;
  const late = whole.missed.map((line) => `\n\nBound not kept: ${line}.`).join('');
  return `${what}. ${where}.\n\n${headline(whole)}${late}\n\nSeconds: median / 95 of 100 / worst.\n\n${table(whole.summary)}`;
}

/** Replaces what stands between the marks of this name; other sections stay. */
async function writeSection(file, name, text) {
  const old = await readFile(file, 'utf8');
  const [begin, end] = [`<!-- begin ${name} -->`, `<!-- end ${name} -->`];
  const [from, to] = [old.indexOf(begin), old.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`${file} has no lines "${begin}" and "${end}"`);
  const { format } = await import('prettier');
  const fresh = `${old.slice(0, from + begin.length)}\n\n${text}\n\n${old.slice(to)}`;
  await writeFile(file, await format(fresh, { parser: 'markdown', printWidth: 120 }));
}
