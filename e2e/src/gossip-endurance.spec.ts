import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { repository } from './harness.js';
import { missingNetwork } from './interop/original.mjs';

const run = promisify(execFile);
/** Ten minutes are for `npm run test:nightly`. */
const minutes = 10;
const nightly = process.env['DAS_TEST_TIER'] === 'nightly';
const missing = missingNetwork();
if (nightly && missing !== undefined) process.stdout.write(`gossip under load and loss is not tried: ${missing}\n`);
const whenNightly = nightly && missing === undefined ? it : it.skip;

whenNightly(
  'five members on busy cores, with a twentieth of all packets lost, declare nobody dead who lives',
  async () => {
    const folder = await mkdtemp(join(tmpdir(), 'das-gossip-'));
    try {
      const bench = join(repository, 'bench/false-deaths.mjs');
      const args = [bench, '--minutes', String(minutes), '--out', join(folder, 'report.json')];
      const { stdout } = await run(process.execPath, args);
      process.stdout.write(stdout);
      expect(JSON.parse(stdout)).toMatchObject({ falseDeaths: 0, killed: { firstMs: expect.any(Number) } });
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
  (minutes + 2) * 60_000,
);
