import os from 'node:os';
import { type TestPostgres, natsServer, startTestPostgres } from './index.js';

// Killed, it cannot remove its folders: they lie where guard.spec.ts does so.
jest.spyOn(os, 'tmpdir').mockReturnValue(process.env['GUARD_SPEC_DIR'] ?? '');

/** Not a test of its own: guard.spec.ts runs it, and kills it. Both servers have been restarted, so that they are not those that were started. */
describe('a test that is killed', () => {
  const nats = natsServer();
  let postgres: TestPostgres;
  beforeAll(async () => {
    postgres = await startTestPostgres();
    await Promise.all([postgres.server.restart(), nats().restart()]);
  }, 60_000);
  afterAll(() => postgres?.close());

  it('holds its servers', async () => {
    process.stdout.write(`servers: ${postgres.server.pid} ${nats().pid}\n`);
    await new Promise(() => undefined);
  }, 60_000);
});
