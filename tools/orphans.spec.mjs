// A supervisor that is killed takes everything with it: nodes by their control channel, NATS and Postgres by the guardian.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { it } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';

const supervisor = new URL('../libs/supervisor/dist/index.js', import.meta.url).href;
const node = `
process.on('disconnect', () => process.exit(1));
process.send({ kind: 'started' });
setInterval(() => {}, 1000);
`;
const main = `
const { startCluster } = await import(${JSON.stringify(supervisor)});
const [home, program] = process.argv.slice(2);
const cluster = await startCluster({ home, program, nodes: ['node-1'], env: process.env });
console.log(JSON.stringify([cluster.nats.pid, cluster.postgres.pid, cluster.node('node-1').pid]));
`;
const lives = (pid) => {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1][0] !== 'Z';
  } catch {
    return false;
  }
};

it(
  'ends nodes, NATS and Postgres when the supervisor is killed',
  { skip: process.platform !== 'linux', timeout: 60_000 },
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'das-orphans-'));
    writeFileSync(join(folder, 'node.mjs'), node);
    writeFileSync(join(folder, 'main.mjs'), main);
    const args = [join(folder, 'main.mjs'), join(folder, 'home'), join(folder, 'node.mjs')];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    let pids = [];
    try {
      for await (const line of createInterface({ input: child.stdout })) {
        pids = JSON.parse(line);
        break;
      }
      assert.deepEqual(pids.map(lives), [true, true, true]);
      child.kill('SIGKILL');
      for (const until = Date.now() + 15_000; pids.some(lives) && Date.now() < until;) await pause(50);
      assert.deepEqual(pids.map(lives), [false, false, false]);
    } finally {
      child.kill('SIGKILL');
      for (const pid of pids.filter(lives)) process.kill(pid, 'SIGKILL');
      rmSync(folder, { recursive: true, force: true });
    }
  },
);
