import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import type { Clock } from '@das/kernel';
import { mapRange, runPart } from '../runtime-parts.js';
import { type Birth, type WorkerBench, workerBench } from '../worker-bench.js';
import { type Way, escapeScript, escapeWays } from './scripts.js';

/** What came of each way, and whether the next job on the same pool went on as if nothing had been tried. */
export type Escapes = Readonly<Record<Way, { readonly gave: unknown; readonly next: unknown }>>;

/** A machine with something to find: servers, sockets and files that only a worker that is not kept in can reach. */
async function victim(
  name: string,
): Promise<{ readonly params: Record<string, unknown>; readonly close: () => Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'das-victim-'));
  await chmod(folder, 0o755);
  await writeFile(join(folder, 'file'), 'anybody may read this');
  const abstract = `das-victim-${name}`;
  const servers = [{ port: 0, host: '127.0.0.1' }, { path: join(folder, 'socket') }, { path: `\0${abstract}` }].map(
    (at) => createServer((socket) => socket.destroy()).listen(at),
  );
  await Promise.all(servers.map((server) => once(server, 'listening')));
  await chmod(join(folder, 'socket'), 0o777);
  const port = (servers[0]?.address() as { port: number }).port;
  const udp = createSocket('udp4').bind(port, '127.0.0.1');
  await once(udp, 'listening');
  const params = {
    abstract,
    port,
    file: join(folder, 'file'),
    socket: join(folder, 'socket'),
    home: homedir(),
    pid: process.pid,
  };
  const close = async (): Promise<void> => {
    udp.close();
    for (const server of servers) server.close();
    await rm(folder, { recursive: true, force: true });
  };
  return { params, close };
}

/** Tries every way out from inside a worker of one pool. `fill`: also to fill its folder. */
export async function tryEscapes(clock: Clock, newId: () => string, how: Birth, fill: boolean): Promise<Escapes> {
  const bench = await workerBench(clock, newId, { slots: 1, how, limits: { memoryBytes: 512 * 1024 * 1024 } });
  const { params, close } = await victim(newId());
  const found: Array<[Way, { gave: unknown; next: unknown }]> = [];
  try {
    for (const way of escapeWays) {
      const gave = await asked(bench, newId(), escapeScript(way), { ...params, fill, scratch: bench.folder });
      found.push([way, { gave, next: await asked(bench, newId(), 'def map(item): return "well"\n', {}) }]);
    }
  } finally {
    await close();
    await bench.close();
  }
  return Object.fromEntries(found) as unknown as Escapes;
}

/** What the script gives for item 0, in a worker of its own. */
async function asked(bench: WorkerBench, job: string, text: string, params: Record<string, unknown>): Promise<unknown> {
  const worker = await bench.pool.acquire({ job, generation: 1 });
  const failure = await worker.runtime.load({
    job: 'j',
    node: 'n',
    language: 'python',
    filename: 'job.py',
    text,
    params,
  });
  if (failure !== undefined) throw new Error(failure.message);
  const { lines, failures } = await runPart(worker.runtime, mapRange(0, 1));
  worker.kill();
  await worker.gone;
  return lines[0] === undefined ? failures : JSON.parse(lines[0]);
}
