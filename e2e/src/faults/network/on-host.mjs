// What runs on the hosts of a network of a test's own: `on-host.mjs postgres|nats DIR ADDRESS` is a server there, `on-host.mjs user` asks nodes
// for the test, which cannot reach them itself. Each ends with the process that started it.
import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Guardian, startNatsServer, startPostgres } from '../../../../libs/supervisor/dist/index.js';

const [role, dir, address] = process.argv.slice(2);

async function postgres() {
  const settings = { listen_addresses: `127.0.0.1,${address}` };
  const server = await startPostgres({ dir, bin: process.env.DAS_PG_BIN, settings });
  await appendFile(join(dir, 'data', 'pg_hba.conf'), 'host all all samenet scram-sha-256\n');
  process.kill(server.pid, 'SIGHUP');
  return { server, signal: 'INT', url: server.url.replace('@127.0.0.1', `@${address}`) };
}

async function nats() {
  const server = await startNatsServer({ dir, host: address, jetstream: true });
  return { server, signal: 'TERM', url: server.url, token: server.token };
}

async function serve(start) {
  const { server, signal, ...facts } = await start();
  const guardian = new Guardian();
  guardian.watch([{ pid: server.pid, signal }]);
  process.once('disconnect', async () => {
    await server.stop();
    await guardian.dismiss();
  });
  process.send(facts);
}

function ask() {
  process.on('message', async ({ id, url, init, timeoutMs }) => {
    try {
      const answer = await fetch(url, { ...init, signal: AbortSignal.timeout(timeoutMs) });
      process.send({ id, status: answer.status, body: await answer.text() });
    } catch (error) {
      process.send({ id, error: String(error.cause ?? error) });
    }
  });
  process.send({});
}

if (role === 'user') ask();
else await serve(role === 'postgres' ? postgres : nats);
