import type { RuntimeScripts } from './runtime-scripts.js';

/** The behaviours in JavaScript; CommonJS and ES modules both occur. */
export const nodeScripts: RuntimeScripts = {
  language: 'node',
  filename: 'job.js',
  words: {
    memory: 'allocation failed',
    refusedLocks: [
      "Cannot find module 'das'",
      "Cannot find module 'das'",
      'already',
      'a name has',
      'wait is a number of seconds',
      'imported',
    ],
  },
  raisingLine: "throw new RangeError('bad item')",
  identity: `
export const map = (item) => item;
export function gather(results) {
  if (results.length !== [...results].length) throw new Error('another length');
  return results;
}
export const main = (params) => params;
`,
  prints: `
exports.map = (item) => {
  console.log('says äöü', item);
  return 0;
};
`,
  raisesAt3: `
export function map(item) {
  if (item === 3) throw new RangeError('bad item');
  return item;
}
`,
  raises: 'module.exports = { map(item) { throw new Error(item); } };\n',
  oddResults: `
export default {
  map(item) {
    if (item === 0) return { x: NaN };
    if (item === 1) return new Set([1, 2]);
    if (item === 2) {
      let deep = [];
      for (let i = 0; i < 100_000; i += 1) deep = [deep];
      return deep;
    }
    if (item === 3) return '\\ud800';
    if (item === 4) return 'x'.repeat(17 * 1024 * 1024);
    return 'y'.repeat(2 * 1024 * 1024);
  },
};
`,
  generator: 'export function* map(item) { for (let i = 0; i < item; i += 1) yield i; }\n',
  asynchronous: `
import { setTimeout as sleep } from 'node:timers/promises';
export async function map(item) {
  await sleep(0);
  return item * 2;
}
`,
  closesStdout: `
const { closeSync } = require('node:fs');
exports.map = (item) => {
  if (item === 0) closeSync(1);
  process.stderr.end();
  console.log('nobody hears this');
  return item;
};
`,
  forks: `
import { spawn } from 'node:child_process';
export function map(item) {
  if (item === 1) {
    spawn('sleep', ['1000']);
    spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'inherit' });
  }
  return item;
}
`,
  ignoresTerm: `
process.on('SIGTERM', () => {});
export function map() {
  for (;;);
}
`,
  endsWhenCancelled: `
import das from 'das';
export function map() {
  while (!das.cancelled()) das.progress();
  process.reallyExit(7);
}
`,
  floods: `
export function map(item) {
  for (let i = 0; i < 1000; i += 1) console.log('x'.repeat(8000));
  return item;
}
`,
  exitsAt3: `
const sleep = (ms) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
exports.map = (item) => {
  sleep(60);
  if (item === 3) process.reallyExit(3);
  return item;
};
`,
  asksToExitAt3: `
exports.map = (item) => {
  if (item === 3) process.exit(3);
  return item;
};
`,
  allocatesAt3: `
export function map(item) {
  if (item === 3) return [0, 1, 2, 3].map(() => new Uint8Array(2 ** 31)).length;
  return item;
}
`,
  reportsProgress: `
import { progress } from 'das';
export async function map() {
  for (;;) {
    progress(0.5);
    await new Promise(setImmediate);
  }
}
`,
  failsImport: "const x = 1;\nthrow new Error('no such thing');\n",
  splits: `
export function* split(params) {
  for (let i = 0; i < params.count; i += 1) yield { n: i === 0 ? 0 : i * params.sign };
}
`,
  wordCount: `
const sum = (values) => values.reduce((a, b) => { if (typeof b !== 'number') throw new TypeError('no number'); return a + b; }, 0);
export function* map(text) {
  for (const word of text.split(' ')) yield [word, 1];
}
export const combine = (key, values) => sum(values);
export const reduce = (key, values) => sum(values);
`,
  keyed: `
export const map = (item) => [[item, 1]];
export const reduce = (key, values) => values.length;
`,
  wordKeys: `
export const map = (text) => text.split(' ').map((word) => [word, 1]);
export const reduce = async (key, values) => values.length;
export async function* gather(results) {
  for (const { key } of results) yield key;
}
`,
  locks: `
import das from 'das';
export const map = () => das.lock('stock', { limit: 5, wait: 7 }, (lock) => lock.fence);
export async function main() {
  const lock = await das.lock('stock');
  try {
    await lock.renew(9);
    return lock.fence;
  } finally {
    lock.release();
  }
}
`,
  endsItsWait: `
import das from 'das';
export async function map(item) {
  const ending = new AbortController();
  if (item === 0) setTimeout(() => ending.abort('enough'), 50);
  try {
    return await das.lock('stock', { signal: ending.signal }, (lock) => lock.fence);
  } catch (thrown) {
    if (thrown === 'enough') return thrown;
    throw thrown;
  }
}
`,
  wrongLocks: `
import das from 'das';
import { execFileSync } from 'node:child_process';
import { Worker } from 'node:worker_threads';
const told = (act) => act().then(() => 'had', (thrown) => thrown.name + ': ' + thrown.message);
const take = (name = 'stock', more = {}) => das.lock(name, more, () => undefined);
const imported = await told(take);
const elsewhere = () => new Promise((resolve) => new Worker("require('das')", { eval: true, stderr: true }).once('error', (fault) => resolve(fault.message)));
function child() {
  try {
    return execFileSync(process.execPath, ['-e', "require('das')"], { encoding: 'utf8', stdio: 'pipe' });
  } catch (fault) {
    return fault.message;
  }
}
const twice = () => das.lock('stock', {}, () => told(take));
const ways = [elsewhere, child, twice, () => told(() => take('a b')), () => told(() => take('stock', { wait: -1 })), () => imported];
export const map = (item) => ways[item]();
`,
  hooks: `
import das from 'das';
export const map = () => das.decisionId;
export function* onSuccess(results) {
  console.log('succeeded', das.decisionId, results.length, JSON.stringify([...results]), JSON.stringify([...results]));
  yield 'nobody reads this';
}
export async function onFailure(error) {
  if (error.code === 'RAISE') throw new RangeError('not this one');
  console.log('failed', das.decisionId, JSON.stringify(error));
}
`,
  endlessHook: `
import { spawn } from 'node:child_process';
const sleep = (ms) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
export const map = (item) => item;
export function on_failure() {
  spawn('sleep', ['1000']);
  for (let n = 0; ; n += 1) {
    console.log('', n);
    sleep(10);
  }
}
`,
  brokenSyntax: 'export function map(item) {\n  return (;\n}\n',
  definesThree: `
console.log('this must not run');
import { reduce } from 'node:process';
export { reduce };
export function map(item) { return item; }
export const gather = async (results) => [];
const onFailure = console.log;
export { onFailure };
function main() {}
`,
};

/** The same in TypeScript: each with types somewhere, so that none runs as it is. */
export const typedScripts: RuntimeScripts = {
  ...nodeScripts,
  filename: 'job.ts',
  ...Object.fromEntries(
    Object.entries(nodeScripts)
      .filter(([name]) => !['language', 'filename', 'words', 'raisingLine'].includes(name))
      .map(([name, text]) => [
        name,
        `${String(text)}interface Typed<T> { readonly value: T }\nconst typed = (value: unknown): Typed<unknown> => ({ value }) as Typed<unknown>;\n`,
      ]),
  ),
};
