// Simulates whole clusters on virtual time, one seed after the other, and judges them: `node tools/simulate.mjs --seeds 1:500 --strategy all`.
// A seed that breaks a promise is named with the command that replays it. `--help` lists the rest. See docs/simulation.md.
import process from 'node:process';
import { parseArgs } from 'node:util';
import { endure, findMutants, mutants, optionsOf, runSeeds } from '../libs/testing/dist/simulator.js';

const help = `node tools/simulate.mjs [options]
  --seeds A:B         seeds to run, both included (default 1:100); one number runs one seed
  --strategy S        bully, raft, lease, or all (default bully)
  --nodes N           nodes of each cluster, 3 to 50 (default: 3 to 7, by seed)
  --jobs N            jobs of each run (default: 3 to 5, by seed)
  --storm SECONDS     how long things go wrong (default 20)
  --trace             prints all that happens; for one seed
  --hours H           instead: one cluster for H hours of virtual time, with 1 % loss and a restart every ten minutes
  --without TEXT      with the protection taken away that is called so in --mutants
  --mutants           instead: takes one protection away at a time, and shows that it is missed
`;

const options = {
  seeds: { type: 'string' },
  strategy: { type: 'string', default: 'bully' },
  nodes: { type: 'string' },
  jobs: { type: 'string' },
  storm: { type: 'string' },
  hours: { type: 'string' },
  trace: { type: 'boolean', default: false },
  mutants: { type: 'boolean', default: false },
  without: { type: 'string' },
  help: { type: 'boolean', default: false },
};
const strategies = ['bully', 'raft', 'lease'];

function usage(text) {
  console.error(`simulate: ${text}\n\n${help}`);
  process.exit(2);
}

function number(name, text, min, max) {
  const value = Number(text);
  if (!Number.isFinite(value) || value < min || value > max) usage(`--${name} takes a number from ${min} to ${max}`);
  return value;
}

function parsed() {
  try {
    return parseArgs({ options }).values;
  } catch (error) {
    return usage(error.message);
  }
}

/** The first and the last seed. */
function seedsOf(text) {
  const [first, last = first] = text.split(':');
  const from = number('seeds', first, 0, 2 ** 30);
  return { from, to: number('seeds', last, from, 2 ** 30) };
}

const given = parsed();
if (given.help) {
  console.log(help);
  process.exit(0);
}
if (given.strategy !== 'all' && !strategies.includes(given.strategy))
  usage(`--strategy takes ${strategies.join(', ')} or all`);
const chosen = given.strategy === 'all' ? strategies : [given.strategy];
const taken = given.without === undefined ? undefined : mutants[given.without];
if (given.without !== undefined && taken === undefined)
  usage(`--without takes one of:\n  ${Object.keys(mutants).join('\n  ')}`);
const change = {
  ...(taken === undefined ? {} : { weaken: taken.weaken }),
  ...(given.nodes === undefined ? {} : { nodes: number('nodes', given.nodes, 1, 50) }),
  ...(given.jobs === undefined ? {} : { jobs: number('jobs', given.jobs, 0, 1_000) }),
  ...(given.storm === undefined ? {} : { stormMs: number('storm', given.storm, 1, 86_400) * 1_000 }),
};
/** How the run is asked for again. */
const again = (strategy, seed) => {
  const more = ['nodes', 'jobs', 'storm', 'without'].filter((name) => given[name] !== undefined);
  const words = more.flatMap((name) => [`--${name}`, name === 'without' ? `'${given[name]}'` : given[name]]);
  return ['node tools/simulate.mjs --seeds', seed, '--strategy', strategy, ...words, '--trace'].join(' ');
};

/** `broken`: seeds that broke a promise. */
function storms() {
  const { from, to } = seedsOf(given.seeds ?? '1:100');
  if (given.trace && (from !== to || chosen.length > 1)) usage('--trace is for one seed and one strategy');
  const total = { runs: 0, virtualMs: 0, faults: new Map(), broken: 0 };
  for (const strategy of chosen) {
    const { runs, virtualMs, faults, broken, log } = runSeeds(from, to, (seed) =>
      optionsOf(seed, { ...change, strategy, trace: given.trace }),
    );
    for (const line of log) console.log(line);
    for (const { seed, message } of broken) console.log(`${message}\n  replay: ${again(strategy, seed)}`);
    total.runs += runs;
    total.virtualMs += virtualMs;
    total.broken += broken.length;
    for (const [kind, count] of faults) total.faults.set(kind, (total.faults.get(kind) ?? 0) + count);
  }
  return total;
}

function summary({ runs, virtualMs, faults, broken }, seconds) {
  const kinds = [...faults].sort(([a], [b]) => (a < b ? -1 : 1)).map(([kind, count]) => `${kind} ${count}`);
  const rate = (runs / seconds).toFixed(1);
  const hours = (virtualMs / 3_600_000).toFixed(1);
  return `${runs} seeds (${chosen.join(', ')}), ${hours} virtual hours, ${seconds.toFixed(1)} s (${rate} seeds/s), ${broken} broken; faults: ${kinds.join(', ')}`;
}

const began = performance.now();
const passed = () => (performance.now() - began) / 1_000;

if (given.mutants) {
  const missed = findMutants((line) => console.log(line));
  console.log(
    `${missed === 0 ? 'every' : `${missed} not found; every other`} protection is missed when it is taken away, ${passed().toFixed(1)} s`,
  );
  process.exitCode = missed === 0 ? 0 : 1;
} else if (given.hours !== undefined) {
  const hours = number('hours', given.hours, 0.1, 1_000);
  const seed = seedsOf(given.seeds ?? '1').from;
  for (const strategy of chosen) {
    try {
      const { jobs, restarts, largest } = endure(optionsOf(seed, { ...change, strategy }), hours);
      console.log(
        `${strategy}: ${hours} virtual hours, ${jobs} jobs, ${restarts} restarts, ${passed().toFixed(1)} s; largest: ${largest}`,
      );
    } catch (error) {
      console.log(error.message);
      process.exitCode = 1;
    }
  }
} else {
  const total = storms();
  console.log(summary(total, passed()));
  process.exitCode = total.broken === 0 ? 0 : 1;
}
