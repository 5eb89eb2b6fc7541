import { StartError } from '@das/platform/basics';
import { connect } from '@nats-io/transport-node';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { type Server, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type NatsServer, startNatsServer } from './nats.js';
import { findNatsServer } from './nats-binary.js';

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

describe('startNatsServer', () => {
  let dir: string;
  const started: NatsServer[] = [];
  const start = async (options: Partial<Parameters<typeof startNatsServer>[0]> = {}): Promise<NatsServer> => {
    const server = await startNatsServer({ dir, jetstream: false, ...options });
    started.push(server);
    return server;
  };
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'das-nats-'));
  });
  afterEach(async () => {
    await Promise.all(started.splice(0).map((server) => server.stop()));
    await rm(dir, { recursive: true });
  });

  it('takes connections with the token, and a payload of 2 MiB, as soon as it has resolved', async () => {
    const server = await start();
    const client = await connect({ servers: server.url, token: server.token });
    expect(client.info?.max_payload).toBe(2 * 1024 * 1024);
    await client.close();
  });

  it('keeps its token in a file only this user reads, out of the process list', async () => {
    const server = await start({ token: 'the-secret' });
    expect((await stat(join(dir, 'nats.conf'))).mode & 0o777).toBe(0o600);
    expect(await readFile(`/proc/${server.pid}/cmdline`, 'utf8')).not.toContain('the-secret');
  });

  it('is gone after stop and after kill, twice being fine', async () => {
    for (const end of ['stop', 'kill'] as const) {
      const server = await start();
      const pid = server.pid ?? 0;
      await server[end]();
      await server[end]();
      expect(isAlive(pid)).toBe(false);
      expect(server.pid).toBeUndefined();
    }
  });

  it('comes back at the same address with the same token after a restart', async () => {
    const server = await start();
    const { url, pid } = server;
    await server.restart();
    expect(server.url).toBe(url);
    expect(server.pid).not.toBe(pid);
    await (await connect({ servers: url, token: server.token })).close();
  });

  it('says that a given port is in use, by another program or another NATS server', async () => {
    const { port } = await start();
    const second = await mkdtemp(join(tmpdir(), 'das-nats-'));
    const held = await holdPort();
    try {
      for (const taken of [port, held.port]) {
        const failed = startNatsServer({ dir: second, jetstream: false, port: taken });
        await expect(failed).rejects.toThrow(new RegExp(`port ${taken} is in use`));
      }
    } finally {
      held.server.close();
      await rm(second, { recursive: true });
    }
  });

  it('says what a program that ends at once has said', async () => {
    await expect(start({ binary: '/bin/false' })).rejects.toThrow(/nats-server ended at once/);
    await expect(start({ binary: '/no/such/program' })).rejects.toThrow(/ENOENT/);
  });
});

describe('findNatsServer', () => {
  it('looks on PATH first', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'das-bin-'));
    try {
      const { writeFile } = await import('node:fs/promises');
      await writeFile(join(dir, 'nats-server'), '', { mode: 0o755 });
      expect(await findNatsServer(`/nowhere:${dir}`, [])).toBe(join(dir, 'nats-server'));
    } finally {
      await rm(dir, { recursive: true });
    }
  });

  it('names the ways to get one when there is none', async () => {
    const failed = await findNatsServer('/nowhere', []).catch((error: unknown) => error);
    expect(failed).toBeInstanceOf(StartError);
    expect((failed as StartError).hint).toMatch(/apt-get install nats-server.*releases.*DAS_NATS_URL/s);
  });
});

function holdPort(): Promise<{ server: Server; port: number }> {
  return new Promise((resolve) => {
    const server = createServer((socket) => socket.end('hello\r\n'));
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve({ server, port: typeof address === 'object' && address !== null ? address.port : 0 });
    });
  });
}
