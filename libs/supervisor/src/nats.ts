import { limits } from '@das/contracts';
import { type Clock, messageOf } from '@das/kernel';
import { StartError, SystemClock, environment, newId } from '@das/platform/basics';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findNatsServer } from './nats-binary.js';
import { freePort, natsInfo } from './nats-probe.js';

export interface NatsServerOptions {
  /** Folder for its configuration, log and JetStream files; made if missing (mode 0700), kept when the server ends. */
  readonly dir: string;
  /** @default a free one */
  readonly port?: number;
  /** Address to listen on. @default 127.0.0.1 */
  readonly host?: string;
  readonly jetstream: boolean;
  /** Clients must present it. @default a new random one */
  readonly token?: string;
  /** Path of the program. @default found on PATH */
  readonly binary?: string;
  readonly clock?: Clock;
}

/** A NATS server that this process started. */
export interface NatsServer {
  readonly url: string;
  readonly port: number;
  readonly token: string;
  /** Of the running server; undefined while it is down. */
  readonly pid: number | undefined;
  /** Ends it; resolves when it is gone. Twice is fine. */
  stop(): Promise<void>;
  /** Ends it by SIGKILL, as a power failure would. */
  kill(): Promise<void>;
  /** Stops it if it runs, and starts it again on the same port, files and token. */
  restart(): Promise<void>;
}

/** A start, or an end by SIGTERM, that takes longer has failed. */
const startMaxMs = 10_000;
const stopMaxMs = 5_000;
const probeEveryMs = 20;
/** Someone else may take the free port between finding and using it. */
const portTriesMax = 5;

/**
 * Starts a NATS server with its token in a file only this user can read, and resolves when it takes connections.
 * @throws StartError when no program is found, the port is taken, or it does not come up; nothing is left running.
 */
export async function startNatsServer(options: NatsServerOptions): Promise<NatsServer> {
  const binary = options.binary ?? (await findNatsServer(environment().PATH));
  const settings = { host: '127.0.0.1', token: newId() + newId(), clock: new SystemClock(), ...options, binary };
  await mkdir(settings.dir, { recursive: true, mode: 0o700 });
  for (let tries = 1; ; tries += 1) {
    const server = new NatsProcess({ ...settings, port: options.port ?? (await freePort(settings.host)) });
    try {
      await server.start();
      return server;
    } catch (error) {
      if (options.port !== undefined || tries >= portTriesMax || !/in use/.test(messageOf(error))) throw error;
    }
  }
}

type Settings = Required<NatsServerOptions>;

class NatsProcess implements NatsServer {
  readonly url: string;
  readonly port: number;
  readonly token: string;
  #child: ChildProcess | undefined;

  constructor(private readonly settings: Settings) {
    this.port = settings.port;
    this.token = settings.token;
    this.url = `nats://${settings.host === '0.0.0.0' ? '127.0.0.1' : settings.host}:${settings.port}`;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** A name of its own tells this server from a stranger on the same port. */
  async start(): Promise<void> {
    const name = `das-${newId()}`;
    const file = join(this.settings.dir, 'nats.conf');
    await writeFile(file, configText(this.settings, name), { mode: 0o600 });
    await chmod(file, 0o600);
    // A process group of its own: Ctrl-C reaches the supervisor, which ends this server after the services.
    const child = spawn(this.settings.binary, ['--config', file], {
      stdio: ['ignore', 'ignore', 'pipe'],
      detached: true,
    });
    this.#child = child;
    let said = '';
    child.stderr?.on('data', (text: Buffer) => (said = (said + text.toString()).slice(-2_000)));
    const gone = (): void => {
      if (this.#child === child) this.#child = undefined;
    };
    child.once('exit', gone);
    child.once('error', (error) => {
      said += messageOf(error);
      // Never started: there is no exit to come.
      if (child.pid === undefined) gone();
    });
    try {
      await this.#ready(name, child, () => said);
    } catch (error) {
      await this.kill();
      throw error;
    }
  }

  stop(): Promise<void> {
    return this.#end('SIGTERM');
  }
  kill(): Promise<void> {
    return this.#end('SIGKILL');
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  async #ready(name: string, child: ChildProcess, said: () => string): Promise<void> {
    const { clock, port, dir } = this.settings;
    const host = this.settings.host === '0.0.0.0' ? '127.0.0.1' : this.settings.host;
    const deadline = clock.monotonic() + startMaxMs;
    while (clock.monotonic() < deadline) {
      const info = await natsInfo(host, port, clock);
      if (info?.server_name === name) return;
      if (info !== undefined) throw portTaken(port);
      if (this.#child !== child) throw endedAtOnce(said(), port, dir);
      await new Promise<void>((resolve) => clock.timer(probeEveryMs, resolve));
    }
    throw new StartError(`nats-server did not take connections on port ${port} within ${startMaxMs / 1000} s`, {
      hint: `see ${join(dir, 'nats.log')}`,
    });
  }

  async #end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    const gone = once(child, 'exit');
    child.kill(signal);
    const cancel = this.settings.clock.timer(stopMaxMs, () => child.kill('SIGKILL'));
    await gone;
    cancel();
  }
}

const portTaken = (port: number): StartError =>
  new StartError(`port ${port} is in use by another NATS server`, { hint: 'choose another port' });

function endedAtOnce(said: string, port: number, dir: string): StartError {
  if (/address already in use/.test(said))
    return new StartError(`port ${port} is in use`, { hint: 'choose another port' });
  const why = said.trim().split('\n').at(-1) ?? '';
  return new StartError(`nats-server ended at once: ${why || 'it said nothing'}`, {
    hint: `see ${join(dir, 'nats.log')}`,
  });
}

/** NATS' own format takes JSON strings. */
function configText({ dir, host, port, jetstream, token }: Settings, name: string): string {
  const text = JSON.stringify;
  return [
    `server_name: ${text(name)}`,
    `host: ${text(host)}`,
    `port: ${port}`,
    `max_payload: ${limits.payloadBytesMax}`,
    `authorization { token: ${text(token)} }`,
    `log_file: ${text(join(dir, 'nats.log'))}`,
    'logfile_size_limit: 10MB',
    ...(jetstream ? [`jetstream { store_dir: ${text(join(dir, 'jetstream'))} }`] : []),
    '',
  ].join('\n');
}
