import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { it } from 'node:test';
import { leftovers } from './leftovers.mjs';

const skip = process.platform !== 'linux';

it('finds what a run left behind, and nothing once it is gone', { skip }, async () => {
  const run = randomUUID();
  const child = spawn('sleep', ['60'], { env: { ...process.env, DAS_TEST_RUN: run } });
  const look = () => leftovers({ run, temp: tmpdir(), since: Date.now() - 60_000, graceMs: 200 });
  try {
    assert.deepEqual(
      (await look()).map(({ pid }) => pid),
      [child.pid],
    );
  } finally {
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
  assert.deepEqual(await look(), []);
});

it('leaves the processes of others alone', { skip }, async () => {
  const child = spawn('sleep', ['60'], { env: { ...process.env, DAS_TEST_RUN: 'another' } });
  try {
    assert.deepEqual(await leftovers({ run: randomUUID(), temp: tmpdir(), since: Date.now(), graceMs: 0 }), []);
  } finally {
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
});
