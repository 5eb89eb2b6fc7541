import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { it } from 'node:test';
import { findProgram } from './prepare.mjs';

const program = fileURLToPath(new URL('prepare.mjs', import.meta.url));

it('finds programs that are there, and no others', () => {
  assert.match(findProgram('sh'), /\/sh$/);
  assert.equal(findProgram('no-such-program'), undefined);
});

it('says nothing when nothing is to do', () => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [program], { encoding: 'utf8' });
  assert.deepEqual({ status, stdout, stderr }, { status: 0, stdout: '', stderr: '' });
});

it('refuses an interpreter that is too old or none, and says how to get one', () => {
  const env = { ...process.env, DAS_PYTHON: '/bin/false' };
  const { status, stderr } = spawnSync(process.execPath, [program], { encoding: 'utf8', env });
  assert.equal(status, 1);
  assert.match(stderr, /^error: Python 3\.9 or newer is needed .*DAS_PYTHON is \/bin\/false\nhint: /);
});
