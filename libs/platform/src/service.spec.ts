import { operation, serviceHealth, serviceLog } from '@das/contracts';
import { nodeId } from '@das/kernel';
import { Answers, MemoryEventLog, MemoryHub, ServiceBusOver, connectNats } from '@das/messaging';
import { FakeClock, natsServer, settled } from '@das/testing';
import { Controller, Get, Inject, Module } from '@nestjs/common';
import { createServer } from 'node:net';
import { z } from 'zod';
import { newId } from './ids.js';
import { type ProcessHost, runMain } from './run-main.js';
import { READINESS, SERVICE_CONTEXT, type ServiceContext, type ServiceDefinition } from './service.js';
import { startService } from './start-service.js';

const greet = operation('jobs.greet', z.object({ name: z.string() }), z.object({ text: z.string() }));

@Controller()
class Greeter {
  constructor(@Inject(SERVICE_CONTEXT) private readonly context: ServiceContext) {}
  @Answers(greet)
  greet({ name }: { name: string }): { text: string } {
    return { text: `${name} from ${this.context.node}` };
  }
  @Get('hello')
  hello(): string {
    return 'hello';
  }
}

let reasons: string[] = [];
@Module({
  controllers: [Greeter],
  providers: [{ provide: READINESS, useValue: () => reasons }],
})
class GreeterModule {}

const definition: ServiceDefinition = { name: 'executor', module: () => ({ module: GreeterModule }) };
const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

beforeEach(() => {
  reasons = [];
});

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const opened of open.splice(0)) await opened.close();
});

/** A service over a memory hub, and a caller on it. */
async function overMemory(env: Record<string, string> = {}, of: ServiceDefinition = definition) {
  const hub = new MemoryHub(new FakeClock());
  const service = await startService(
    of,
    { DAS_NODE: 'n1', ...env },
    { transport: { bus: hub.connect(), events: new MemoryEventLog() }, log: silent },
  );
  open.push(service);
  const caller = new ServiceBusOver(hub.connect(), { node: nodeId('n1'), service: 'test' }, new FakeClock(), newId);
  return { service, caller, hub };
}

describe('startService', () => {
  it("serves the module's controllers on the bus, with the service context injected", async () => {
    const { service, caller } = await overMemory();
    expect((await caller.call(greet, { name: 'Ada' })).body).toEqual({ text: 'Ada from n1' });
    expect(service.url).toBeUndefined();
    await service.close();
    await expect(caller.call(greet, { name: 'x' }, { timeoutMs: 0 })).rejects.toMatchObject({
      code: 'SERVICE_UNAVAILABLE',
    });
  });

  it("answers for its health by the bus, with the module's own reasons", async () => {
    const { service, caller } = await overMemory();
    const health = serviceHealth('executor');
    expect((await caller.call(health, {})).body).toMatchObject({
      service: 'executor',
      ready: true,
      reasons: [],
      pid: process.pid,
    });
    reasons = ['the database is away'];
    expect((await caller.call(health, {})).body).toMatchObject({ ready: false, reasons: ['the database is away'] });
    await service.close();
  });

  it('answers for its health by HTTP when a port is set', async () => {
    const taken = createServer();
    const free = (): Promise<void> => new Promise((resolve) => taken.close(() => resolve()));
    open.push({ close: free });
    const port = await new Promise<number>((resolve) => {
      taken.listen(0, '127.0.0.1', () => resolve((taken.address() as { port: number }).port));
    });
    await expect(overMemory({ DAS_HEALTH_PORT: String(port) })).rejects.toMatchObject({
      message: `port ${port} on 127.0.0.1 is in use`,
      hint: expect.stringContaining('DAS_HEALTH_PORT') as string,
    });
    await free();

    const { service, hub } = await overMemory({ DAS_HEALTH_PORT: String(port) });
    const get = async (path: string) => {
      const response = await fetch(`http://127.0.0.1:${port}${path}`);
      return [response.status, await response.json()];
    };
    expect(await get('/health/live')).toEqual([200, { live: true }]);
    expect(await get('/health/ready')).toEqual([200, { ready: true, reasons: [] }]);
    hub.stop();
    expect(await get('/health/ready')).toEqual([503, { ready: false, reasons: ['the message bus is not connected'] }]);
    expect((await get('/other'))[0]).toBe(404);
    hub.start();
    await service.close();
    await expect(get('/health/live')).rejects.toThrow();
  });

  it('serves HTTP beside the bus when the definition asks for it', async () => {
    const { service, caller } = await overMemory({}, { ...definition, http: () => ({ host: '127.0.0.1', port: 0 }) });
    expect(await (await fetch(`${service.url}/hello`)).text()).toBe('hello');
    expect((await caller.call(greet, { name: 'Ada' })).body).toEqual({ text: 'Ada from n1' });
    const port = Number(new URL(service.url ?? '').port);
    const again = overMemory({}, { ...definition, http: () => ({ host: '127.0.0.1', port }) });
    await expect(again).rejects.toThrow(`port ${port} on 127.0.0.1 is in use`);
    await service.close();
    await expect(fetch(`${service.url}/hello`)).rejects.toThrow();
  });

  it('closes what it opened when the module fails', async () => {
    const hub = new MemoryHub(new FakeClock());
    const bus = hub.connect();
    const broken: ServiceDefinition = { name: 'executor', module: () => Promise.reject(new Error('no module')) };
    const starting = startService(
      broken,
      { DAS_NODE: 'n1' },
      { transport: { bus, events: new MemoryEventLog() }, log: silent },
    );
    await expect(starting).rejects.toThrow('no module');
    expect(bus.connected).toBe(false);
  });

  it('passes its warnings on to the cluster', async () => {
    const hub = new MemoryHub(new FakeClock());
    const clock = new FakeClock();
    const hearer = new ServiceBusOver(hub.connect(), { node: nodeId('n2'), service: 'test' }, clock, newId);
    const heard: unknown[] = [];
    await hearer.hear(serviceLog, (body) => heard.push(body));
    const written: string[] = [];
    const stderr = jest.spyOn(process.stderr, 'write').mockImplementation((text) => written.push(String(text)) > 0);
    const warning: ServiceDefinition = {
      name: 'telemetry',
      module: ({ log }) => {
        log.warn({}, 'disk is full');
        return { module: GreeterModule };
      },
    };
    const env = { DAS_NODE: 'n1', DAS_LOG_LEVEL: 'error' };
    const service = await startService(warning, env, {
      transport: { bus: hub.connect(), events: new MemoryEventLog() },
      clock,
    });
    await settled();
    stderr.mockRestore();
    expect(heard).toMatchObject([{ node: 'n1', service: 'telemetry', level: 'warn', message: 'disk is full' }]);
    await service.close();
  });
});

describe('over NATS', () => {
  const server = natsServer();

  it('connects, serves, and leaves nothing when it is closed', async () => {
    const env = { DAS_NODE: 'n1', DAS_NATS_URL: server().url, DAS_NATS_TOKEN: server().token };
    const service = await startService(definition, env, { log: silent });
    open.push(service);
    const bus = await connectNats({ url: server().url, token: server().token, name: 'test' });
    open.push(bus);
    const plain = await bus.connection.request(greet.subject, '{"name":"Ada"}', { timeout: 5_000 });
    expect(plain.json()).toEqual({ text: 'Ada from n1' });
    await service.close();
    await expect(bus.connection.request(greet.subject, '{}', { timeout: 5_000 })).rejects.toThrow();
  });

  it('waits for a server that is still starting', async () => {
    await server().stop();
    const env = { DAS_NODE: 'n1', DAS_NATS_URL: server().url, DAS_NATS_TOKEN: server().token };
    const starting = startService(definition, env, { log: silent });
    await server().restart();
    await (await starting).close();
  });

  it('says in one line why it does not start, and exits by the kind of reason', async () => {
    const bare = { DAS_NODE: 'n1', DAS_CONNECT_TIMEOUT_MS: '100' };
    expect(await main({ ...bare, DAS_NATS_URL: 'nats://user:hush@127.0.0.1:1' })).toEqual({
      code: 1,
      lines: [
        expect.stringMatching(
          /^executor could not start: cannot reach NATS at nats:\/\/127\.0\.0\.1:1 \(.*; tried for 0\.1 s\); start nats-server there, or set DAS_NATS_URL.*$/,
        ),
      ],
    });
    expect(await main({ ...bare, DAS_NATS_URL: server().url, DAS_NATS_TOKEN: 'wrong' })).toEqual({
      code: 1,
      lines: [expect.stringMatching(/refuses the token.*DAS_TOKEN_FILE/)],
    });
    const { code, lines } = await main({ DAS_NODE: 'a b', DAS_LOG_LEVEL: 'loud' });
    expect(code).toBe(2);
    expect(lines.join('\n').split('\n')).toEqual([
      'executor could not start; settings are not valid:',
      expect.stringContaining('DAS_NODE') as string,
      expect.stringContaining('DAS_LOG_LEVEL') as string,
      expect.stringContaining('docs/configuration.md') as string,
    ]);
  });

  it.each([[1], [2]])(
    'ends at a signal that comes during the start or later, and at once by a second (%i)',
    async (signals) => {
      const env = {
        DAS_NODE: 'n1',
        DAS_NATS_URL: server().url,
        DAS_NATS_TOKEN: server().token,
        DAS_LOG_LEVEL: 'error',
      };
      const code = signals === 1 ? 0 : 1;
      expect(await main(env, { during: signals })).toEqual({ code, lines: [] });
      expect(await main(env, { after: signals })).toEqual({ code, lines: [] });
    },
  );
});

/** Runs {@link runMain} in a process of the test's making, with that many signals; resolves to its first exit. */
async function main(
  env: Record<string, string>,
  signals: { readonly during?: number; readonly after?: number } = {},
): Promise<{ code: number; lines: string[] }> {
  const lines: string[] = [];
  let signal = (): void => undefined;
  const exited = new Promise<number>((resolve) => {
    const host: ProcessHost = {
      env,
      exit: resolve,
      complain: (line) => void lines.push(line),
      onSignal: (listener) => {
        signal = listener;
        for (let n = 0; n < (signals.during ?? 0); n += 1) listener();
      },
    };
    void runMain(definition, host).then(() => {
      for (let n = 0; n < (signals.after ?? 0); n += 1) signal();
    });
  });
  return { code: await exited, lines };
}
