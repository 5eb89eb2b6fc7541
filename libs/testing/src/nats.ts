import { type NatsServer, startNatsServer } from '@das/supervisor';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { guard } from './guard.js';

/**
 * A NATS server of the calling spec file's own, with JetStream, on a free port: started before its tests, ended and removed after them, ended also
 * when the process of the tests is killed.
 * Call it at the top of a `describe` (or the file); the returned function gives the server inside tests and hooks.
 */
export function natsServer(options: { readonly jetstream?: boolean; readonly token?: string } = {}): () => NatsServer {
  let dir: string | undefined;
  let server: NatsServer | undefined;
  let release: (() => Promise<void>) | undefined;
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'das-nats-'));
    server = await startNatsServer({ dir, jetstream: true, ...options });
    release = guard(server, 'TERM');
  }, 20_000);
  afterAll(async () => {
    await server?.stop();
    await release?.();
    if (dir !== undefined) await rm(dir, { recursive: true, force: true });
  });
  return () => {
    if (server === undefined) throw new Error('natsServer() is to be asked inside tests and hooks');
    return server;
  };
}
