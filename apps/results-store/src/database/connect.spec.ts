import { SystemClock, loadConfig } from '@das/platform';
import { databasePerTest } from '@das/testing';
import { storeConfig } from '../config.js';
import { testStore } from '../testing/test-store.js';
import { connectDatabase } from './connect.js';
import { StandbyError } from './writable-client.js';

const quiet = { warn: () => undefined };
const postgres = databasePerTest(async (url) => (await testStore(url)).close());

/** A URL of three servers, of which nothing listens at the first and the last. */
const severalWith = (url: string): string => url.replace(/@([^/]*)/, '@127.0.0.1:1,$1,127.0.0.1:2');

const connected = (url: string, more: Record<string, string> = {}) =>
  connectDatabase(loadConfig(storeConfig, { DAS_DATABASE_URL: url, ...more }), new SystemClock(), quiet);

describe('several servers in DAS_DATABASE_URL', () => {
  it('finds the one that serves, and stays with it for further connections', async () => {
    const { dataSource, pool } = await connected(severalWith(postgres.url));
    try {
      const ports = Array.from({ length: 4 }, async () => (await pool.query('select inet_server_port() as port')).rows);
      expect(new Set((await Promise.all(ports)).flat().map(({ port }) => Number(port)))).toEqual(
        new Set([postgres.server.port]),
      );
    } finally {
      await dataSource.destroy();
    }
  });

  it('names them all, without the password, when none serves', async () => {
    const url = 'postgres://das:secret@127.0.0.1:1,127.0.0.1:2/das';
    const failed: unknown = await connected(url, { DAS_CONNECT_TIMEOUT_MS: '600' }).catch((error: unknown) => error);
    expect(String(failed)).toContain('127.0.0.1:1, 127.0.0.1:2/das');
    expect(String(failed)).not.toContain('secret');
  });

  it('says of a standby what it is, with a code that is worth waiting for', () => {
    expect(new StandbyError('two:5432')).toMatchObject({
      code: '57P03',
      message: 'two:5432 is a standby and takes no writes',
    });
  });
});
