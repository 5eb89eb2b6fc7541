import { attemptFinished, clusterStatus, coordinator, executorBeat, serviceLog } from '@das/contracts';
import { type JobId, type PartId, nodeId } from '@das/kernel';
import { MemoryEventLog, MemoryHub, ServiceBusOver } from '@das/messaging';
import { ConfigError, type LogFields, type Logger, type RunningService, StartError, startService } from '@das/platform';
import { FakeClock, settled } from '@das/testing';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { service } from './service.js';

interface Line {
  readonly level: string;
  readonly fields: LogFields;
  readonly message: string;
}

describe('the telemetry service', () => {
  const [a, b] = [nodeId('node-a'), nodeId('node-b')];
  let clock: FakeClock;
  let hub: MemoryHub;
  let bus: ServiceBusOver;
  let lines: Line[];
  const running: RunningService[] = [];
  let ids = 0;

  const writes = (level: string) => (fields: LogFields, message: string) => void lines.push({ level, fields, message });
  const log: Logger = { debug: writes('debug'), info: writes('info'), warn: writes('warn'), error: writes('error') };

  async function start(env: Record<string, string> = {}): Promise<RunningService> {
    const transport = { bus: hub.connect(), events: new MemoryEventLog() };
    const started = await startService(service, { DAS_NODE: a, ...env }, { transport, clock, log });
    running.push(started);
    return started;
  }

  beforeEach(() => {
    clock = new FakeClock();
    hub = new MemoryHub(clock);
    lines = [];
    bus = new ServiceBusOver(hub.connect(), { node: a, service: 'executor' }, clock, () => `id-${(ids += 1)}`);
  });
  afterEach(async () => {
    await Promise.all(running.splice(0).map((service) => service.close()));
    await bus.close();
  });

  const beat = (node: typeof a) => ({ node, epoch: 'e', slots: 3, draining: false, held: [], rssBytes: 5, workers: 2 });
  const url = (): string => String(lines.find((line) => line.message.startsWith('metrics are at'))?.fields['url']);

  it('answers with the newest heartbeat of every node', async () => {
    await start();
    bus.tell(executorBeat, beat(a));
    bus.tell(executorBeat, beat(b));
    await clock.advanceAsync(500);
    const { nodes } = (await bus.call(clusterStatus, {})).body;
    expect(nodes.map((status) => [status.node, status.agoMs])).toEqual([
      [a, 500],
      [b, 500],
    ]);
    await clock.advanceAsync(60_000);
    expect((await bus.call(clusterStatus, {})).body.nodes).toEqual([]);
  });

  it('writes what other nodes warn of, and never as a warning of its own, which would come back', async () => {
    await start();
    for (const node of [a, b])
      bus.tell(serviceLog, { node, service: 'executor', level: 'error', message: `from ${node}`, at: 1 });
    await settled();
    expect(lines.find((line) => line.message === `from ${b}`)).toMatchObject({
      level: 'info',
      fields: { origin: `${b}/executor`, severity: 'error' },
    });
    expect(lines.find((line) => line.message === `from ${a}`)?.level).toBe('debug');
    expect(lines.filter((line) => line.level === 'warn' || line.level === 'error')).toEqual([]);
  });

  it('serves metrics to Prometheus where it is told to', async () => {
    const started = await start({ DAS_METRICS_PORT: '0' });
    bus.tell(executorBeat, beat(a));
    bus.tell(coordinator, { leader: b, term: 7, resigned: false, trustMs: 1 });
    const attempt = { job: 'j' as JobId, generation: 1, part: 'map:0-1' as PartId, attempt: 1 };
    const done = { kind: 'map', outcome: 'committed', items: 10, busyMs: 1_500, children: [], failed: [] } as const;
    bus.tell(attemptFinished, { attempt, node: a, ...done, children: [], failed: [] });
    await settled();
    const answer = await fetch(url());
    expect(answer.headers.get('content-type')).toContain('version=0.0.4');
    const text = await answer.text();
    expect(text).toContain('das_executor_slots{node="node-a"} 3\n');
    expect(text).toContain('das_election_term{node="node-a"} 7\n');
    expect(text).toContain('das_jobs_attempts_finished_total{node="node-a",outcome="committed",kind="map"} 1\n');
    expect(text).toContain('das_jobs_attempts_busy_seconds_total{node="node-a",kind="map"} 1.5\n');
    expect((await fetch(url().replace('/metrics', '/'))).status).toBe(404);
    await started.close();
    await expect(fetch(url())).rejects.toThrow();
  });

  it('opens no port by itself', async () => {
    await start();
    expect(url()).toBe('undefined');
  });

  it('says so when the port is taken, and leaves nothing open', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => taken.once('listening', resolve));
    const port = (taken.address() as AddressInfo).port;
    const refusal = await start({ DAS_METRICS_PORT: String(port) }).catch((error: unknown) => error);
    taken.close();
    expect(refusal).toBeInstanceOf(StartError);
    expect((refusal as StartError).hint).toContain('DAS_METRICS_PORT');
  });

  it.each([
    [{ DAS_METRICS_PORT: '99999' }, 'DAS_METRICS_PORT'],
    [{ OTEL_METRIC_EXPORT_INTERVAL: '1' }, 'OTEL_METRIC_EXPORT_INTERVAL'],
  ])('refuses settings that do not fit: %j', async (env, name) => {
    const refusal = await start(env).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(ConfigError);
    expect((refusal as ConfigError).message).toContain(name);
  });
});
