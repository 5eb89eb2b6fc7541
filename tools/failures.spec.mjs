import assert from 'node:assert/strict';
import { test } from 'node:test';
import { failuresOf, summary } from './failures.mjs';

const report = (...testResults) => ({ testResults });
const failed = (fullName, ...failureMessages) => ({ fullName, status: 'failed', failureMessages });

test('names each failed test, with the first lines of why', () => {
  const why = [
    '\u001b[31mnot within 90000 ms\u001b[39m',
    '',
    '    at it (a.spec.ts:3:1)',
    '    at x (node_modules/y.js:1:1)',
  ];
  const passed = { fullName: 'works', status: 'passed', failureMessages: [] };
  const file = { status: 'failed', message: 'whole', assertionResults: [passed, failed('joins', why.join('\n'))] };
  assert.deepEqual(failuresOf(report(file)), ['● joins\n    not within 90000 ms\n        at it (a.spec.ts:3:1)']);
});

test('a file that could not run failed, too', () => {
  const file = { status: 'failed', message: 'Cannot find module', assertionResults: [] };
  assert.deepEqual(failuresOf(report(file)), ['● a file that could not run\n    Cannot find module']);
});

test('is short, however much failed', () => {
  const long = failed('fails', 'line\n'.repeat(1_000));
  const file = { status: 'failed', message: '', assertionResults: Array.from({ length: 500 }, () => long) };
  const text = summary(failuresOf(report(file)));
  assert.equal(text.split('\n').length, 1 + 8 * 17 + 1);
  assert.match(text, /… and 492 more$/);
});

test('says nothing when nothing failed', () => {
  const file = { status: 'passed', message: '', assertionResults: [{ fullName: 'works', status: 'passed' }] };
  assert.equal(summary(failuresOf(report(file))), '');
});
