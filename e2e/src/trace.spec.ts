import { script, testCluster, until, type TestCluster } from './harness.js';
import { OtlpReceiver, type Span } from './otlp-receiver.js';

let receiver: OtlpReceiver;
let running: TestCluster;
beforeAll(async () => {
  receiver = await OtlpReceiver.listen();
  running = await testCluster({
    nodes: 2,
    env: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, OTEL_BSP_SCHEDULE_DELAY: '200' },
  });
});
afterAll(async () => {
  await running.stop();
  await receiver.close();
});

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
const client = '00f067aa0ba902b7';

it('makes one trace of a job, from the client through every acting service into the workers of two nodes', async () => {
  const text =
    'import os\ndef map(x):\n    return os.environ["TRACEPARENT"]\ndef gather(results):\n    return sorted(set(results))\n';
  const job = await running.node(1).json<{ id: string }>('/v1/jobs', {
    method: 'POST',
    body: JSON.stringify({ code: script(text), input: { range: [0, 40] }, itemsPerPart: 5 }),
    headers: { 'content-type': 'application/json', traceparent: `00-${traceId}-${client}-01` },
  });
  expect((await running.ended(job.id)).state).toBe('succeeded');
  const seen = (await running.node(1).results(job.id)).trimEnd().split('\n');
  expect(seen.length).toBeGreaterThan(1);
  for (const traceparent of seen) expect(traceparent).toContain(traceId);

  const mine = (): Span[] => receiver.spans.filter((span) => span.traceId === traceId);
  const complete = (spans: readonly Span[]): boolean => {
    const ids = new Set(spans.map(({ spanId }) => spanId));
    return spans.every(
      ({ parentSpanId }) => parentSpanId === client || (parentSpanId !== undefined && ids.has(parentSpanId)),
    );
  };
  const spans = await until(
    'every parent has arrived',
    async () => {
      const now = mine();
      const workers = now.filter(({ name }) => name.startsWith('worker.'));
      const nodes = new Set(workers.map(({ node }) => node));
      return nodes.size === 2 && now.some(({ name }) => name === 'worker.gather') && complete(now) ? now : undefined;
    },
    20_000,
  );
  const services = new Set(spans.map(({ service }) => service.replace(/^das[-.]/, '')));
  expect([...services].sort()).toEqual(expect.arrayContaining(['executor', 'job-splitter', 'results-store']));
});
