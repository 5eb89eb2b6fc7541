import { chmod, mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { type PostgresServer, startPostgres } from './index.js';

async function ask(url: string, sql: string): Promise<unknown> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return Object.values((await client.query<Record<string, unknown>>(sql)).rows[0] ?? {})[0];
  } finally {
    await client.end();
  }
}

describe('startPostgres', () => {
  let dir: string;
  const running: PostgresServer[] = [];
  const start = async (options: Omit<Parameters<typeof startPostgres>[0], 'dir'> = {}) => {
    const server = await startPostgres({ dir: join(dir, 'pg'), ...options });
    running.push(server);
    return server;
  };

  // Mode 0700 as root's home: the programs run as another user and must still reach their data.
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'das-pg-'));
    await chmod(dir, 0o700);
  });
  afterEach(async () => {
    for (const server of running.splice(0)) await server.kill();
    await rm(dir, { recursive: true, force: true });
  });

  it('keeps what was committed over a stop, a kill and a second start', async () => {
    const server = await start();
    await ask(server.url, 'create table t as select 7 as n');
    await server.kill();
    await server.restart();
    expect(await ask(server.url, 'select n from t')).toBe(7);
    await server.stop();
    await server.stop();
    const again = await start();
    expect(await ask(again.url, 'select n from t')).toBe(7);
    expect(await ask(again.url, 'show fsync')).toBe('on');
  }, 60_000);

  it('lets nobody in without its password, which only the owner may read', async () => {
    const server = await start();
    const url = new URL(server.url);
    url.password = 'guess';
    await expect(ask(url.href, 'select 1')).rejects.toThrow(/password/);
    expect((await stat(join(dir, 'pg', 'password'))).mode & 0o777).toBe(0o600);
    expect(await ask(server.url, 'show listen_addresses')).toBe('127.0.0.1');
    expect(await ask(server.url, 'show unix_socket_directories')).toBe('');
  }, 60_000);

  it('says that a port or a data folder is in use, and leaves no process', async () => {
    const server = await start();
    await expect(startPostgres({ dir: join(dir, 'other'), port: server.port })).rejects.toThrow(
      `port ${server.port} on 127.0.0.1 is in use`,
    );
    await expect(start()).rejects.toThrow(new RegExp(`a Postgres \\(pid ${server.pid}\\) already runs in`));
    expect(await ask(server.url, 'select 1')).toBe(1);
  }, 60_000);

  it('names the setting when the programs are missing', async () => {
    await expect(start({ bin: dir })).rejects.toThrow(/DAS_PG_BIN/);
  });
});
