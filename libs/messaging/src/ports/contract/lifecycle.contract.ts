import { Fault } from '@das/contracts';
import type { BusMessage, MessageBus } from '../message-bus.js';
import { type Bench, bytes, changes, codeOf, message, textOf } from './tools.contract.js';

/** Closing, and losing the server. */
export function lifecycleContract(bench: Bench): void {
  it('delivers nothing to a closed subscription, while others go on', async () => {
    const [caller, answerer] = [await bench().connect(), await bench().connect()];
    const closed = await answerer.subscribe('c.sub', {}, async () => ({ payload: bytes('old') }));
    await closed.close();
    await closed.close();
    expect(await codeOf(caller.request(message('c.sub', ''), { timeoutMs: 600_000 }))).toBe('SERVICE_UNAVAILABLE');
    await answerer.subscribe('c.sub', {}, async () => ({ payload: bytes('new') }));
    expect(textOf(await caller.request(message('c.sub', ''), { timeoutMs: 5_000 }))).toBe('new');
  });

  it('lets running handlers end, and use the bus, before it closes', async () => {
    const [caller, answerer] = [await bench().connect(), await bench().connect()];
    await caller.subscribe('c.further', {}, async () => ({ payload: bytes('further') }));
    let release: () => void = () => undefined;
    let entered: () => void = () => undefined;
    const running = new Promise<void>((resolve) => (entered = resolve));
    await answerer.subscribe('c.drain', {}, async () => {
      entered();
      await new Promise<void>((resolve) => (release = resolve));
      return { payload: (await answerer.request(message('c.further', ''), { timeoutMs: 5_000 })).payload };
    });
    const asked = caller.request(message('c.drain', ''), { timeoutMs: 5_000 });
    await running;
    const closing = answerer.close();
    release();
    await closing;
    expect(textOf(await asked)).toBe('further');
  });

  it('is of no use after it was closed, and may be closed again', async () => {
    const bus = await bench().connect();
    await bus.close();
    await bus.close();
    expect(bus.connected).toBe(false);
    expect(await codeOf(bus.publish(message('c.x', '')))).toBe('BUS_UNAVAILABLE');
    expect(await codeOf(bus.request(message('c.x', ''), { timeoutMs: 100 }))).toBe('BUS_UNAVAILABLE');
    expect(await codeOf(bus.subscribe('c.x', {}, async () => undefined))).toBe('BUS_UNAVAILABLE');
  });

  it('tells of a lost server, sends nothing meanwhile, and keeps its subscriptions when it is back', async () => {
    const [caller, answerer] = [await bench().connect(), await bench().connect()];
    await answerer.subscribe('s.echo', { queue: 'q' }, async (received) => ({ payload: received.payload }));
    const ups = [caller, answerer].map((bus) => changes(bus));
    const cancelled: boolean[] = [];
    caller.onConnection((up) => cancelled.push(up))();
    await bench().stopServer();
    for (const up of ups) expect(await up.next()).toBe(false);
    expect(caller.connected).toBe(false);
    expect(await codeOf(caller.publish(message('s.echo', '')))).toBe('BUS_UNAVAILABLE');
    expect(await codeOf(caller.request(message('s.echo', ''), { timeoutMs: 60_000 }))).toBe('BUS_UNAVAILABLE');
    await bench().startServer();
    for (const up of ups) expect(await up.next()).toBe(true);
    expect(caller.connected).toBe(true);
    expect(textOf(await answered(caller, message('s.echo', 'again')))).toBe('again');
    expect(cancelled).toEqual([]);
  }, 20_000);
}

/** The server may hear the caller before it has heard what the answerer, connected again as well, subscribes to. */
async function answered(caller: MessageBus, asked: BusMessage): Promise<BusMessage> {
  const missed = (error: unknown): Promise<BusMessage> => {
    if (error instanceof Fault && error.code === 'SERVICE_UNAVAILABLE') return answered(caller, asked);
    throw error;
  };
  return caller.request(asked, { timeoutMs: 5_000 }).catch(missed);
}
