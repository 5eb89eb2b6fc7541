import { mkdtemp, rm } from 'node:fs/promises';
import { type Server, type Socket, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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

/** Runs a server of `serve` while `act` does, and ends both. */
async function beside(
  serve: (socket: Socket) => void,
  at: { path: string } | { port: number; host: string },
  act: (server: Server) => Promise<void>,
): Promise<void> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket.on('error', () => undefined));
    serve(socket);
  });
  await new Promise<void>((resolve) => server.listen(at, resolve));
  try {
    await act(server);
  } finally {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  }
}

describe('one server behind a Unix socket', () => {
  it('is reached by ?host=/folder', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'das-socket-'));
    const { port } = postgres.server;
    const through = (socket: Socket) => {
      const other = connect(port, '127.0.0.1').on('error', () => socket.destroy());
      socket.pipe(other).pipe(socket);
    };
    try {
      await beside(through, { path: join(folder, '.s.PGSQL.5432') }, async () => {
        const { dataSource, pool } = await connected(
          `${postgres.url.replace(/@[^/]*/, '@')}?host=${encodeURIComponent(folder)}`,
        );
        expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
        await dataSource.destroy();
      });
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});

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

  it('leaves one that logs in and then does not answer', async () => {
    const [loggedIn, ready] = [Buffer.from('R\0\0\0\x08\0\0\0\0'), Buffer.from('Z\0\0\0\x05I')];
    const mute = (socket: Socket): void => {
      socket.once('data', () => {
        socket.write(Buffer.concat([loggedIn, ready]));
        socket.once('data', () => socket.destroy());
      });
    };
    await beside(mute, { port: 0, host: '127.0.0.1' }, async (server) => {
      const { port } = server.address() as { port: number };
      const { dataSource, pool } = await connected(postgres.url.replace(/@/, `@127.0.0.1:${port},`), {
        DAS_CONNECT_TIMEOUT_MS: '3000',
      });
      expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
      await dataSource.destroy();
    });
  });

  it('says of a standby what it is, with a code that is worth waiting for', () => {
    expect(new StandbyError('two:5432')).toMatchObject({
      code: '57P03',
      message: 'two:5432 is a standby and takes no writes',
    });
  });
});
