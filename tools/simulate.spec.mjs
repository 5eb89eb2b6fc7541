// Whole clusters, simulated by the command that people use: `DAS_TEST_TIER` says how many.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { describe, test } from 'node:test';

const tier = process.env.DAS_TEST_TIER ?? 'test';
const seeds = { test: 500, full: 5_000, nightly: 100_000 }[tier] ?? 500;
const hours = tier === 'test' ? 1 : 24;
const strategies = ['bully', 'raft', 'lease'];

/** Resolves with what it printed and how it ended. */
function simulate(...args) {
  const options = { maxBuffer: 256 * 1024 * 1024 };
  return new Promise((resolve) => {
    execFile(process.execPath, [join(import.meta.dirname, 'simulate.mjs'), ...args], options, (error, stdout, stderr) =>
      resolve({ code: error?.code ?? 0, output: stdout + stderr }),
    );
  });
}

describe('a cluster under faults', { concurrency: 2 }, () => {
  for (const strategy of strategies) {
    test(`${strategy}: ${seeds} seeds keep every promise`, async () => {
      const { code, output } = await simulate('--seeds', `1:${seeds}`, '--strategy', strategy);
      assert.equal(code, 0, output);
      assert.match(output, new RegExp(`^${seeds} seeds \\(${strategy}\\), .* 0 broken; faults: .*crash \\d+`, 'm'));
    });
  }

  for (const strategy of strategies) {
    test(`${strategy}: ${hours} virtual hours leave nothing behind in any state map`, async () => {
      const { code, output } = await simulate('--hours', String(hours), '--strategy', strategy);
      assert.equal(code, 0, output);
      assert.match(output, new RegExp(`^${strategy}: ${hours} virtual hours, \\d{2,} jobs, \\d+ restarts`, 'm'));
    });
  }

  test('every protection that is taken away is missed', async () => {
    const { code, output } = await simulate('--mutants');
    assert.equal(code, 0, output);
    assert.doesNotMatch(output, /NOT FOUND/);
  });

  test('fifty nodes', async () => {
    const { code, output } = await simulate('--seeds', '1:2', '--nodes', '50', '--jobs', '12');
    assert.equal(code, 0, output);
  });

  test('a broken promise is named with the command that replays it, and the replay tells the story', async () => {
    const broken = ['--without', 'beats are not compared with what is assigned'];
    const { code, output } = await simulate('--seeds', '1:8', ...broken);
    assert.equal(code, 1);
    const [, replay] = /replay: node tools\/simulate\.mjs (.*)/.exec(output) ?? assert.fail(output);
    const args = [...replay.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare);
    const [first, second] = [await simulate(...args), await simulate(...args)];
    assert.equal(first.code, 1);
    assert.match(first.output, /store: saveActs of n\d/);
    assert.equal(
      first.output.replaceAll(/[\d.]+ s \([\d.]+ seeds\/s\)/g, ''),
      second.output.replaceAll(/[\d.]+ s \([\d.]+ seeds\/s\)/g, ''),
    );
  });

  test('what it cannot understand it refuses with its help', async () => {
    for (const args of [['--seeds', 'x'], ['--strategy', 'paxos'], ['--nodes', '0'], ['--wrong']]) {
      const { code, output } = await simulate(...args);
      assert.equal(code, 2, args.join(' '));
      assert.match(output, /--seeds A:B/);
    }
  });
});
