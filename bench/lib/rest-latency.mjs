// How long a trivial job takes by REST: submitted, run and read in one request, by one client on one connection.
import { Agent, request } from 'node:http';
import { quantile, spin, withCluster } from './cluster.mjs';

/** Until the compilers of the node and of its database have seen enough of it. */
const warmUp = 200;
const apartMs = 100;
const msMax = 120_000;
const body = JSON.stringify({ code: { text: spin(0) }, input: { items: [1] } });

/** `{ apart, inTurn }`, each `{ auto, none }` by sandbox: wall times (ms) of `jobs` jobs, 100 ms apart or each at once after the last. */
export async function measureRest({ jobs, slots }) {
  const raw = { apart: { auto: [], none: [] }, inTurn: { auto: [], none: [] } };
  const began = performance.now();
  for (const sandbox of ['auto', 'none', 'auto', 'none']) {
    if (raw.apart[sandbox].length > 0 && performance.now() - began > msMax) break;
    // One node at a time: the heartbeats of another would be measured with it.
    await withCluster({ nodes: 1, slots, env: { DAS_SANDBOX: sandbox } }, (_, cluster) =>
      withConnection(cluster, (once) => measure(once, jobs / 2, raw, sandbox)),
    );
  }
  return raw;
}

async function measure(once, jobs, raw, sandbox) {
  for (let job = 0; job < warmUp; job += 1) await once();
  for (const [way, pauseMs] of Object.entries({ apart: apartMs, inTurn: 0 })) {
    for (let job = 0; job < jobs; job += 1) {
      raw[way][sandbox].push(await once());
      if (pauseMs > 0) await new Promise((over) => setTimeout(over, pauseMs));
    }
  }
}

export const latencyOf = (raw) => mapped(raw, (ofSandbox) => mapped(ofSandbox, told));
const told = (list) => ({ jobs: list.length, p50: quantile(list, 0.5), p95: quantile(list, 0.95) });
const mapped = (object, change) =>
  Object.fromEntries(Object.entries(object).map(([name, value]) => [name, change(value)]));

/** Node's `fetch` would cost a millisecond of its own. */
async function withConnection({ urls, token }, use) {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const headers = {
    authorization: `Bearer ${token}`,
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
  };
  const once = () =>
    new Promise((resolve, reject) => {
      const from = performance.now();
      const asked = request(`${urls[0]}/v1/jobs?wait=30s&results=1`, { method: 'POST', agent, headers }, (answer) => {
        let text = '';
        answer.setEncoding('utf8').on('data', (chunk) => (text += chunk));
        answer.once('end', () => {
          if (text === '1\n') resolve(performance.now() - from);
          else reject(new Error(`wrong result: ${text}`));
        });
      });
      asked.once('error', reject).end(body);
    });
  try {
    return await use(once);
  } finally {
    agent.destroy();
  }
}
