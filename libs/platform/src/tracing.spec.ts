import { operation } from '@das/contracts';
import { nodeId } from '@das/kernel';
import { MemoryHub, ServiceBusOver } from '@das/messaging';
import { FakeClock } from '@das/testing';
import type { ReadableSpan } from '@opentelemetry/sdk-trace-node';
import { z } from 'zod';
import { newId } from './ids.js';
import { createLogger } from './logging.js';
import { type Tracing, currentTraceparent, startTracing, withSpan } from './tracing.js';

const mockSpans: { readonly url: string; readonly span: ReadableSpan }[] = [];
// The real exporter loads `http` in a way that Jest's module system refuses; what it sends is looked at in the end-to-end tests.
jest.mock('@opentelemetry/exporter-trace-otlp-http', () => ({
  OTLPTraceExporter: class {
    constructor(private readonly options: { readonly url: string }) {}
    export(spans: ReadableSpan[], done: (result: { code: number }) => void): void {
      mockSpans.push(...spans.map((span) => ({ url: this.options.url, span })));
      done({ code: 0 });
    }
    async shutdown(): Promise<void> {}
  },
}));

/** What was sent: as a collector would show it. */
const sent = () =>
  mockSpans.map(({ url, span }) => ({
    url,
    service: String(span.resource.attributes['service.name']),
    name: span.name,
    traceId: span.spanContext().traceId,
    spanId: span.spanContext().spanId,
    parentSpanId: span.parentSpanContext?.spanId,
    status: span.status,
  }));

beforeEach(() => {
  mockSpans.length = 0;
});

const outer = operation('jobs.outer', z.object({}), z.object({}));
const inner = operation('store.inner', z.object({}), z.object({}));

describe('tracing', () => {
  it('is off without an endpoint: no tracer, no traceparent, and spans that cost nothing', async () => {
    const tracing = await startTracing({ node: 'n1', service: 'executor' }, {});
    expect(tracing.tracer).toBeUndefined();
    expect(await tracing.run(() => withSpan('x', {}, () => currentTraceparent()))).toBeUndefined();
    await tracing.shutdown();
  });

  it('makes one trace over two services: every span has its parent, and its own service as resource', async () => {
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318/' };
    const hub = new MemoryHub(new FakeClock());
    const started: Tracing[] = [];
    const service = async (name: string) => {
      const tracing = await startTracing({ node: 'n1', service: name }, env);
      started.push(tracing);
      const options = { tracer: tracing.tracer };
      return {
        tracing,
        bus: new ServiceBusOver(hub.connect(), { node: nodeId('n1'), service: name }, new FakeClock(), newId, options),
      };
    };
    const [front, store] = [await service('job-splitter'), await service('results-store')];
    let seenInside: string | undefined;
    await store.tracing.run(() =>
      store.bus.answer(inner, async (_body, { traceparent }) => {
        seenInside = traceparent;
        return withSpan('transaction', { attributes: { 'das.job': 'j' } }, () => ({}));
      }),
    );
    await front.tracing.run(() => front.bus.answer(outer, async () => (await front.bus.call(inner, {})).body));
    await front.tracing.run(async () => {
      await front.bus.call(inner, {});
      expect(seenInside).toBeUndefined();
      const given = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
      await withSpan('submit', { traceparent: given }, () => front.bus.call(outer, {}));
      const failing = withSpan('failing', { traceparent: given }, () => Promise.reject(new Error('oops')));
      await expect(failing).rejects.toThrow('oops');
    });
    await Promise.all(started.map((tracing) => tracing.shutdown()));

    const spans = sent();
    expect(new Set(spans.map(({ url }) => url))).toEqual(new Set(['http://collector:4318/v1/traces']));
    const inTrace = spans.filter(({ traceId }) => traceId === '0af7651916cd43dd8448eb211c80319c');
    expect(inTrace.map(({ name, service: of }) => `${of}: ${name}`).sort()).toEqual([
      'job-splitter: failing',
      'job-splitter: jobs.outer',
      'job-splitter: jobs.outer',
      'job-splitter: store.inner',
      'job-splitter: submit',
      'results-store: store.inner',
      'results-store: transaction',
    ]);
    const named = (name: string, kind?: string) =>
      inTrace.find((span) => span.name === name && (kind === undefined || span.service === kind));
    const known = new Set([...inTrace.map(({ spanId }) => spanId), 'b7ad6b7169203331']);
    for (const { name, parentSpanId } of inTrace) expect([name, known.has(parentSpanId ?? '')]).toEqual([name, true]);
    expect(named('transaction')?.parentSpanId).toBe(named('store.inner', 'results-store')?.spanId);
    expect(seenInside?.split('-')[2]).toBe(named('store.inner', 'job-splitter')?.spanId);
    expect(named('failing')?.status).toEqual({ code: 2, message: 'oops' });
    // A call that belongs to no trace makes no span; a span of one's own does.
    expect(spans).toHaveLength(inTrace.length + 1);
  });

  it('puts the trace id into log lines', async () => {
    const env = { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://collector/path' };
    const tracing = await startTracing({ node: 'n1', service: 'executor' }, env);
    const lines: string[] = [];
    const log = createLogger({
      node: 'n1',
      service: 'executor',
      level: 'info',
      destination: { write: (line) => void lines.push(line) },
    });
    await tracing.run(() => withSpan('x', {}, () => log.info({}, `in ${currentTraceparent()}`)));
    log.info({}, 'outside');
    const [inside, outside] = lines.map((line) => JSON.parse(line) as { trace?: string; message: string });
    expect(inside?.message.split('-')[1]).toBe(inside?.trace);
    expect(inside?.trace).toMatch(/^[0-9a-f]{32}$/);
    expect(outside?.trace).toBeUndefined();
    await tracing.shutdown();
    expect(sent()).toMatchObject([{ url: 'http://collector/path', name: 'x' }]);
  });
});
