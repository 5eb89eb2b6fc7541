// A supervisor that is killed takes everything with it: nodes by their control channel, NATS and Postgres by the guardian.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
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

/** Of a Postgres that takes its time: the start of the cluster waits for it. */
const slowProgram = `#!/bin/sh
case "$1" in --version) echo 'postgres (PostgreSQL) 18.0'; exit 0;; esac
exec sleep 120
`;
const starting = `
const { startCluster } = await import(${JSON.stringify(supervisor)});
const [home, program, bin] = process.argv.slice(2);
await startCluster({ home, program, nodes: ['node-1'], env: { ...process.env, DAS_PG_BIN: bin } });
`;
/** The state file names NATS once the guardian watches it. */
const namesNats = (home) => {
  try {
    return JSON.parse(readFileSync(join(home, 'cluster.json'), 'utf8')).nats?.process !== undefined;
  } catch {
    return false;
  }
};
const endGroup = (pid) => {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It is gone.
  }
};
const natsOf = (folder) =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
        return command.includes('nats-server') && command.includes(folder) && lives(pid);
      } catch {
        return false;
      }
    });

it(
  'ends NATS when the supervisor is killed while Postgres is still starting',
  { skip: process.platform !== 'linux', timeout: 60_000 },
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'das-orphans-'));
    const bin = join(folder, 'bin');
    mkdirSync(bin);
    for (const program of ['postgres', 'initdb']) writeFileSync(join(bin, program), slowProgram, { mode: 0o755 });
    chmodSync(folder, 0o755);
    writeFileSync(join(folder, 'main.mjs'), starting);
    const args = [join(folder, 'main.mjs'), join(folder, 'home'), join(folder, 'node.mjs'), bin];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'], detached: true });
    try {
      const home = join(folder, 'home');
      for (const until = Date.now() + 30_000; !namesNats(home) && Date.now() < until;) await pause(20);
      assert.equal(natsOf(folder).length, 1, 'NATS runs');
      child.kill('SIGKILL');
      for (const until = Date.now() + 15_000; natsOf(folder).length > 0 && Date.now() < until;) await pause(50);
      assert.deepEqual(natsOf(folder), [], 'NATS is gone');
    } finally {
      endGroup(child.pid);
      for (const pid of natsOf(folder)) process.kill(pid, 'SIGKILL');
      rmSync(folder, { recursive: true, force: true });
    }
  },
);
