// The packed library in an empty folder, without this workspace: it installs without a registry, and two nodes of it find each other.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

const library = join(import.meta.dirname, '..', 'libs', 'memberlist');
const folder = mkdtempSync(join(tmpdir(), 'das-package-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const run = (file, args, cwd) => execFileSync(file, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
const use = `
import { clusterConfig, createMemberlist } from '@das/memberlist';
const options = (name) => ({ ...clusterConfig, name, bindAddr: '127.0.0.1', bindPort: 0, secretKey: new Uint8Array(32) });
const [a, b] = [await createMemberlist(options('a')), await createMemberlist(options('b'))];
await b.join(['127.0.0.1:' + a.self.port]);
console.log(a.members.map(({ name }) => name).sort().join());
await b.leave(5000);
await Promise.all([a.shutdown(), b.shutdown()]);
`;

test('the packed library installs offline and works on its own', () => {
  const [packed] = JSON.parse(run('npm', ['pack', '--json', '--pack-destination', folder], library));
  const names = packed.files.map(({ path }) => path);
  for (const wanted of ['LICENSE', 'README.md', 'package.json', 'dist/index.js', 'dist/index.d.ts']) {
    assert.ok(names.includes(wanted), `${wanted} is packed`);
  }
  assert.deepEqual(
    names.filter((name) => /\.spec|\.fixture|dist.scale|testdata|\.map$|tsbuildinfo|^src/.test(name)),
    [],
  );
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'user', private: true, type: 'module' }));
  run('npm', ['install', '--offline', '--no-audit', '--no-fund', join(folder, packed.filename)], folder);
  const { dependencies = {} } = JSON.parse(readFileSync(join(library, 'package.json'), 'utf8'));
  assert.deepEqual(dependencies, {});
  writeFileSync(join(folder, 'use.mjs'), use);
  assert.equal(run(process.execPath, ['use.mjs'], folder).trim(), 'a,b');
});
