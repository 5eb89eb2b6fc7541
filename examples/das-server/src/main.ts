import 'reflect-metadata';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { seededRng } from './core/rng.js';
import { createServer } from './das-server.module.js';
import { buildTable } from './knowledge-base.js';
import { parseOptions, usage, UsageError, type Options } from './options.js';

/** Requests in flight get so long to finish when the server is told to stop (ms). */
const graceMs = 2_000;
const animals = new URL('../animals.metta', import.meta.url);

async function serve(options: Options): Promise<void> {
  const useAnimals = options.metta.length === 0 && options.generate === undefined;
  const table = buildTable({
    files: useAnimals ? [animals] : options.metta,
    similarities: options.generate ?? 0,
    seed: options.seed,
  });
  const app = await createServer({
    table,
    faults: { latencyMs: options.latency, failRate: options['fail-rate'] },
    rng: seededRng(options.seed),
  });
  await app.listen(options.port, options.host);
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void stop(app));
  const url = await app.getUrl();
  process.stdout.write(`das-server: ${table.nodeCount} nodes, ${table.linkCount} links; listening on ${url}\n`);
}

async function stop(app: NestExpressApplication): Promise<void> {
  setTimeout(() => app.getHttpServer().closeAllConnections(), graceMs).unref();
  await app.close();
}

try {
  const options = parseOptions(process.argv.slice(2));
  if (options.help) process.stdout.write(usage);
  else await serve(options);
} catch (error) {
  process.stderr.write(`das-server: ${(error as Error).message}\n`);
  process.exitCode = error instanceof UsageError ? 2 : 1;
}
