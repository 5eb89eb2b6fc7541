// `npm run demo`: three nodes count the words of a corpus; shows how it goes, what came out, and who did how much. Leaves nothing behind.
import { spawn } from 'node:child_process';
import { createReadStream, existsSync, readdirSync, rmSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const home = join(root, '.das', 'demo');
const example = join(root, 'examples', 'word-count');
const nodes = 3;
const topWords = 20;
const output = join(home, 'counts.ndjson');
let cluster;

/** The folder of texts that comes with the example. */
function corpus() {
  const folders = ['corpus', 'texts', 'data'].map((name) => join(example, name));
  const found = folders.find((folder) => existsSync(folder));
  if (!found) throw new Error(`no corpus in ${example}`);
  return found;
}

const sizeOf = (folder) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce(
      ({ files, bytes }, entry) => ({
        files: files + 1,
        bytes: bytes + statSync(join(entry.parentPath, entry.name)).size,
      }),
      { files: 0, bytes: 0 },
    );

/** The command line of this clone, talking to the demo's cluster. */
function das(args, stdio = ['ignore', 'inherit', 'inherit']) {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^DAS_(URL|TOKEN|HOME)/.test(name)));
  const child = spawn(process.execPath, [join(root, 'apps/cli/dist/main.js'), '--home', home, ...args], {
    cwd: root,
    env,
    stdio,
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => (code === 0 ? resolve() : reject(new Error(`das ${args[0]} ended with ${code}`))));
  });
}

async function start() {
  const { startCluster } = await import('@das/supervisor').catch(
    () => import(join(root, 'libs/supervisor/dist/index.js')),
  );
  const env = { ...process.env, DAS_URL: undefined, DAS_TOKEN: undefined, DAS_TOKEN_FILE: undefined };
  return startCluster({
    home,
    env,
    nodes: Array.from({ length: nodes }, (_, i) => `node-${i + 1}`),
    signal: interrupt.signal,
  });
}

async function top() {
  const counts = [];
  for await (const line of createInterface({ input: createReadStream(output) })) {
    const entry = JSON.parse(line);
    const [word, count] = Array.isArray(entry) ? entry : [entry.key, entry.value];
    counts.push({ word, count });
  }
  return { words: counts.length, best: counts.sort((a, b) => b.count - a.count).slice(0, topWords) };
}

/** Busy time and items of each node, from the parts of the newest job. */
async function shares() {
  const headers = { authorization: `Bearer ${cluster.token}` };
  const get = async (path) => (await fetch(`${cluster.urls[0]}${path}`, { headers })).json();
  const job = (await get('/v1/jobs?limit=1')).jobs[0];
  const byNode = new Map();
  for (let after; ;) {
    const page = await get(`/v1/jobs/${job.id}/parts?limit=1000${after ? `&after=${encodeURIComponent(after)}` : ''}`);
    for (const part of page.parts) {
      const node = part.attempts.find(({ state }) => state === 'committed')?.node;
      if (node === undefined) continue;
      const share = byNode.get(node) ?? { parts: 0, files: 0, busyMs: 0 };
      share.parts++;
      share.busyMs += part.busyMs ?? 0;
      if (part.kind === 'map') share.files += part.to - part.from;
      byNode.set(node, share);
    }
    if (!page.next) return { job, byNode };
    after = page.next;
  }
}

const seconds = (ms) => `${(ms / 1000).toFixed(1)} s`;

async function demo() {
  const folder = corpus();
  const { files, bytes } = sizeOf(folder);
  console.log(`Starting ${nodes} nodes with their own NATS and Postgres in ${relative(process.cwd(), home) || home} …`);
  const starting = Date.now();
  cluster = await start();
  console.log(`Ready in ${seconds(Date.now() - starting)}: ${cluster.urls.join('  ')}\n`);
  console.log(`$ das run examples/word-count/word_count.py --input ${relative(root, folder)} --format files`);
  console.log(`  (${files} files, ${(bytes / 1e6).toFixed(1)} MB of text)`);
  const running = Date.now();
  await das(['run', join(example, 'word_count.py'), '--input', folder, '--format', 'files', '--output', output]);
  const wallMs = Date.now() - running;
  const { words, best } = await top();
  console.log(`\nThe ${best.length} most frequent of ${words} words:`);
  for (const { word, count } of best) console.log(`${String(count).padStart(9)}  ${word}`);
  const { job, byNode } = await shares();
  console.log('\nWho did it:');
  for (const [node, { parts, files: done, busyMs }] of [...byNode].sort()) {
    console.log(
      `  ${node}  ${String(done).padStart(4)} files in ${String(parts).padStart(3)} parts, busy ${seconds(busyMs)}`,
    );
  }
  console.log(`\nWall time: ${seconds(wallMs)} from submission to the last byte of the result (job ${job.id}).`);
}

const interrupt = new AbortController();
let interrupted = false;
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.on(signal, () => {
    // The command in the foreground hears a Ctrl-C too and cancels its job; what remains is to stop the cluster.
    interrupted = true;
    interrupt.abort();
  });
}

try {
  await demo();
} catch (thrown) {
  if (!interrupted) console.error(`error: ${thrown instanceof Error ? thrown.message : thrown}`);
  process.exitCode = interrupted ? 130 : 1;
} finally {
  await cluster?.stop();
  rmSync(home, { recursive: true, force: true });
  if (!interrupted) console.log('Everything is stopped again.');
}
