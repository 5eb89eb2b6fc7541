// `npm test`: every check there is, one after the other; ends with the line `N passed, N failed`.
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { failuresOf, summary } from './failures.mjs';
import { leftovers } from './leftovers.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const bin = (name) => join(root, 'node_modules', '.bin', name);
const tier = process.argv.includes('--nightly') ? 'nightly' : process.argv.includes('--full') ? 'full' : 'test';
const run = randomUUID();
const scratch = mkdtempSync(join(tmpdir(), 'das-'));
/** Every temporary file of a test goes here, so that one that stays is found. Workers under other accounts pass through. */
const temp = join(scratch, 't');
mkdirSync(temp);
chmodSync(scratch, 0o711);
chmodSync(temp, 0o1777);
/** Found again in the environment of whatever a test starts; no setting of a cluster nearby leaks into a test. */
const passed = new Set(['DAS_PG_BIN', 'DAS_REQUIRE_INTEROP']);
const outside = Object.entries(process.env).filter(([name]) => !name.startsWith('DAS_') || passed.has(name));
const env = {
  ...Object.fromEntries(outside),
  DAS_TEST_RUN: run,
  TMPDIR: temp,
  DAS_TEST_TIER: tier,
  NX_DAEMON: 'false',
  CI: '1',
  FORCE_COLOR: process.stdout.isTTY ? '1' : '0',
};
const began = Date.now();
const total = { passed: 0, failed: 0 };
/** Told once more at the end. */
const failures = [];
const children = new Set();

/** Runs a program; `show` lets its output through as it comes, else it is kept. */
function execute(file, args, { show = false, more = {} } = {}) {
  return new Promise((resolve) => {
    const stdio = ['ignore', show ? 'inherit' : 'pipe', show ? 'inherit' : 'pipe'];
    const child = spawn(file, args, { cwd: root, env: { ...env, ...more }, stdio });
    children.add(child);
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (text) => (output += text));
    const done = (code, why = '') => {
      children.delete(child);
      resolve({ ok: code === 0, output: output + why });
    };
    child.once('error', (error) => done(1, `${error.message}\n`));
    child.once('close', (code) => done(code));
  });
}

/** One phase: `work` resolves with its counts and, when something failed, what is to be shown. */
async function phase(name, work) {
  const start = Date.now();
  console.log(`── ${name}`);
  const { passed, failed, output = '' } = await work();
  total.passed += passed;
  total.failed += failed;
  if (failed > 0 && output.trim() !== '') console.log(output.trimEnd());
  const seconds = ((Date.now() - start) / 1000).toFixed(1);
  console.log(`   ${failed === 0 ? 'ok' : 'FAILED'}  ${passed} passed, ${failed} failed, ${seconds} s`);
}

async function one(file, args) {
  const { ok, output } = await execute(file, args);
  return { passed: ok ? 1 : 0, failed: ok ? 0 : 1, output };
}

/** Many small programs, two at a time. */
async function each(jobs) {
  const sum = { passed: 0, failed: 0, output: '' };
  const queue = [...jobs];
  const worker = async () => {
    for (let job = queue.shift(); job; job = queue.shift()) {
      const { ok, output } = await execute(...job);
      sum[ok ? 'passed' : 'failed']++;
      if (!ok) sum.output += output;
    }
  };
  await Promise.all([worker(), worker()]);
  return sum;
}

const inside = (folder) => readdirSync(join(root, folder)).map((name) => `${folder}/${name}`);

function typechecks() {
  const folders = [...inside('libs'), ...inside('apps'), ...inside('examples')];
  const own = folders.flatMap((folder) => [`${folder}/tsconfig.spec.json`, `${folder}/tsconfig.core.json`]);
  const files = [...own, 'e2e/tsconfig.json', 'bench/tsconfig.json'].filter((file) => existsSync(join(root, file)));
  return files.map((file) => [bin('tsc'), ['-p', file, '--noEmit']]);
}

/** Counts of a Jest run, from its own report. A run that made no report failed as a whole. */
async function jest(args, more = {}) {
  const report = join(scratch, `${randomUUID()}.json`);
  const { ok } = await execute(bin('jest'), [...args, '--json', `--outputFile=${report}`, '--ci'], {
    show: true,
    more,
  });
  if (!existsSync(report)) return { passed: 0, failed: 1 };
  const told = JSON.parse(readFileSync(report, 'utf8'));
  failures.push(...failuresOf(told));
  const { numPassedTests, numFailedTests, numRuntimeErrorTestSuites } = told;
  const failed = numFailedTests + numRuntimeErrorTestSuites;
  return { passed: numPassedTests, failed: ok ? failed : Math.max(failed, 1) };
}

/** Decisions are pure, so there is no excuse: 95 % of the cores' branches, or the run fails. */
const cores = ['{libs,apps}/*/src/core/**/*.ts', '!**/*.spec.ts', '!**/*.scenario.ts', '!**/index.ts'];
const coverageOfCores = [
  '--coverage',
  '--coverageReporters=text-summary',
  ...cores.map((pattern) => `--collectCoverageFrom=${pattern}`),
  `--coverageThreshold=${JSON.stringify({ global: { branches: 95 } })}`,
];

function unitTests() {
  const ignored = ['/node_modules/', '/dist/', '<rootDir>/e2e/', '<rootDir>/bench/'];
  const ignore = ignored.flatMap((pattern) => ['--testPathIgnorePatterns', pattern]);
  const more = tier === 'nightly' ? { FUZZ_PACKETS: '10000000' } : {};
  return jest(['-c', 'jest.config.mjs', '--rootDir', '.', '--maxWorkers=2', ...ignore, ...coverageOfCores], more);
}

async function endToEnd(processes) {
  if (!existsSync(join(root, 'e2e/jest.config.mjs')))
    return { passed: 0, failed: 1, output: 'e2e/jest.config.mjs is missing' };
  // Gossip alone knows no processes of services, and these faults are of processes that were split before or of what lies around the nodes.
  const once = ['/interop-', '/gossip-endurance', '/faults/(services|standby|nats-cluster|network)'];
  const ignore = processes === 'split' ? ['--testPathIgnorePatterns', ...once] : [];
  return jest(['-c', 'e2e/jest.config.mjs', ...ignore], { DAS_E2E_PROCESSES: processes });
}

/** Folders that hold Python tests. */
function* pythonFolders(folder) {
  const entries = readdirSync(folder, { withFileTypes: true });
  if (entries.some(({ name }) => /^test_.*\.py$/.test(name))) yield folder;
  for (const entry of entries) {
    if (entry.isDirectory() && !/^(node_modules|dist|__pycache__|\..*)$/.test(entry.name))
      yield* pythonFolders(join(folder, entry.name));
  }
}

async function pythonTests() {
  const sum = { passed: 0, failed: 0, output: '' };
  for (const folder of [...pythonFolders(join(root, 'libs')), ...pythonFolders(join(root, 'examples'))]) {
    const args = ['-B', '-m', 'unittest', 'discover', '-s', relative(root, folder), '-p', 'test_*.py'];
    const { ok, output } = await execute('python3', args);
    const ran = Number(/^Ran (\d+) test/m.exec(output)?.[1] ?? 0);
    const bad = [...output.matchAll(/(?:failures|errors)=(\d+)/g)].reduce((n, [, count]) => n + Number(count), 0);
    const failed = ok ? 0 : Math.max(bad, 1);
    sum.passed += Math.max(ran - failed, 0);
    sum.failed += failed;
    if (!ok) sum.output += output;
  }
  return sum;
}

/** The tools' own tests, by the runner that needs nothing. */
async function toolTests() {
  const files = readdirSync(join(root, 'tools')).filter((name) => name.endsWith('.spec.mjs'));
  const { ok, output } = await execute(process.execPath, [
    '--test',
    '--test-reporter=tap',
    ...files.map((file) => `tools/${file}`),
  ]);
  const count = (word) => Number(new RegExp(`^# ${word} (\\d+)`, 'm').exec(output)?.[1] ?? 0);
  return { passed: count('pass'), failed: ok ? 0 : Math.max(count('fail'), 1), output };
}

async function nothingLeft() {
  const running = await leftovers({ run, temp, since: began });
  const left = [
    ...running.map(({ pid, command }) => `still running: ${pid} ${command}`),
    ...readdirSync(temp).map((name) => `still there: ${name} in the temporary folder`),
  ];
  return { passed: left.length === 0 ? 1 : 0, failed: left.length, output: left.join('\n') };
}

function finish() {
  rmSync(scratch, { recursive: true, force: true });
  if (failures.length > 0) console.log(summary(failures));
  console.log(`${total.passed} passed, ${total.failed} failed`);
}

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.on(signal, () => {
    for (const child of children) child.kill(signal);
    rmSync(scratch, { recursive: true, force: true });
    process.exit(130);
  });
}

await phase('format (prettier)', () => one(bin('prettier'), ['--check', '--log-level=warn', '.']));
await phase('lint (eslint)', () => one(bin('eslint'), ['.']));
await phase('types (tsc)', () => each(typechecks()));
await phase('boundaries and tools', toolTests);
await phase('generated documents', () => one(process.execPath, ['tools/generate-docs.mjs', '--check']));
await phase('unit and contract tests', unitTests);
await phase('Python tests', pythonTests);
await phase('end-to-end tests', () => endToEnd('single'));
if (tier !== 'test') await phase('end-to-end tests, one process per service', () => endToEnd('split'));
await phase('nothing left behind', nothingLeft);
finish();
process.exitCode = total.failed === 0 ? 0 : 1;
