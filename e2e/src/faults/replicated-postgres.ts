import { appendFile, chown, cp, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Guardian, startPostgres, type PostgresServer } from '@das/supervisor';
import { queryOnce } from '@das/testing';
import { until } from '../harness.js';

/** A primary keeps what a standby still needs; a commit is answered when both have it on disk. */
const settings = { wal_level: 'replica', max_wal_senders: 4 };
const synchronous = { ...settings, synchronous_standby_names: '*' };

/** A Postgres with a standby that follows it synchronously, each in a folder of its own, by the programs that `das up` uses. */
export class ReplicatedPostgres {
  private constructor(
    private readonly folder: string,
    readonly primary: PostgresServer,
    readonly standby: PostgresServer,
    private readonly guardian: Guardian,
  ) {}

  static async start(): Promise<ReplicatedPostgres> {
    const folder = await mkdtemp(join(tmpdir(), 'das-replicated-'));
    const guardian = new Guardian();
    const started: PostgresServer[] = [];
    const watched = (server: PostgresServer): PostgresServer => {
      started.push(server);
      guardian.watch(started.map(({ pid }) => ({ pid, signal: 'INT' })));
      return server;
    };
    try {
      const bin = process.env['DAS_PG_BIN'];
      const primary = watched(await startPostgres({ dir: join(folder, 'primary'), bin, settings: synchronous }));
      await primary.stop();
      await copyAsStandby(folder, primary.url);
      await primary.restart();
      const standby = watched(await startPostgres({ dir: join(folder, 'standby'), bin, settings }));
      const replicated = new ReplicatedPostgres(folder, primary, standby, guardian);
      await replicated.inStep();
      return replicated;
    } catch (thrown) {
      await Promise.all(started.map((server) => server.stop()));
      await guardian.dismiss();
      await rm(folder, { recursive: true, force: true });
      throw thrown;
    }
  }

  /** Both servers in one URL, the primary first. */
  get url(): string {
    const { host } = new URL(this.standby.url);
    return this.primary.url.replace(/@[^/]*/, (place) => `${place},${host}`);
  }

  /** Makes the standby a primary; resolves when it takes writes. */
  async promote(): Promise<void> {
    await queryOnce(this.standby.url, 'select pg_promote(true, 60)');
  }

  /** Resolves when every commit waits for the standby. */
  private async inStep(): Promise<void> {
    await until('the standby follows synchronously', async () => {
      const rows = await queryOnce<{ sync_state: string }>(
        this.primary.url,
        'select sync_state from pg_stat_replication',
      );
      return rows[0]?.sync_state === 'sync' ? true : undefined;
    });
  }

  async stop(): Promise<void> {
    await Promise.all([this.primary.stop(), this.standby.stop()]);
    await this.guardian.dismiss();
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** A copy of a stopped server, told whom to follow; owner and modes as they were. */
async function copyAsStandby(folder: string, primaryUrl: string): Promise<void> {
  const [from, to] = [join(folder, 'primary'), join(folder, 'standby')];
  await cp(from, to, { recursive: true, preserveTimestamps: true });
  const { uid, gid } = await stat(join(from, 'data'));
  await owned(join(to, 'data'), uid, gid);
  const { hostname, port, username, password } = new URL(primaryUrl);
  const whom = `host=${hostname} port=${port} user=${username} password=${password} application_name=standby`;
  await appendFile(join(to, 'data', 'postgresql.auto.conf'), `primary_conninfo = '${whom}'\n`);
  await writeFile(join(to, 'data', 'standby.signal'), '');
  await chown(join(to, 'data', 'standby.signal'), uid, gid);
}

async function owned(folder: string, uid: number, gid: number): Promise<void> {
  await chown(folder, uid, gid);
  for (const entry of await readdir(folder, { recursive: true })) await chown(join(folder, entry), uid, gid);
}
