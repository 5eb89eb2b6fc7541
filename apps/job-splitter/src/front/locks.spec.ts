import { EventEmitter } from 'node:events';
import { PassThrough } from 'node:stream';
import { Fault, type LockView, type Problem, acquireLock, lockFreed, releaseLock, renewLock } from '@das/contracts';
import { MemoryResultStore } from '@das/jobs';
import type { ServiceContext } from '@das/platform';
import { FakeClock, natsServer, settled } from '@das/testing';
import type { Request, Response } from 'express';
import request from 'supertest';
import { type FrontDoor, restToken, startFrontDoor } from '../testing/front-door.js';
import { LocksController } from './locks.controller.js';
import { Locks } from './locks.js';

describe('locks by REST and NATS', () => {
  const nats = natsServer();
  const clock = new FakeClock();
  let door: FrontDoor;
  let store: MemoryResultStore;
  let fault: Fault | undefined;
  const lateMs = 31_000;

  beforeAll(async () => {
    door = await startFrontDoor(nats());
    const checked = () => {
      if (fault !== undefined) throw fault;
    };
    await door.bus.answer(acquireLock, async (body) => (checked(), store.acquireLock(body)));
    await door.bus.answer(renewLock, async (body) => (checked(), store.renewLock(body)));
    await door.bus.answer(releaseLock, async (body) => {
      const reply = await store.releaseLock(body);
      door.bus.tell(lockFreed, { name: body.name });
      return reply;
    });
  }, 20_000);
  afterAll(() => door?.close());
  beforeEach(() => {
    store = new MemoryResultStore(clock);
    fault = undefined;
  });

  const put = (name: string, body: object) =>
    request(door.url).put(`/v1/locks/${name}`).auth(restToken, { type: 'bearer' }).send(body);
  const remove = (name: string, token: string) =>
    request(door.url).delete(`/v1/locks/${name}`).query({ token }).auth(restToken, { type: 'bearer' });
  async function ask<T>(verb: string, body: object): Promise<T> {
    const message = { subject: `das.v1.locks.${verb}`, envelope: {}, payload: Buffer.from(JSON.stringify(body)) };
    const { payload } = await door.plain.request(message, { timeoutMs: 10_000 });
    return JSON.parse(Buffer.from(payload).toString()) as T;
  }

  it('are taken, held against others in words, given back, and taken with a higher fence', async () => {
    const first = await put('stock', { limit: 30 });
    expect([first.status, first.body]).toEqual([
      200,
      { name: 'stock', token: expect.stringMatching(/^.{22}$/), fence: 1, expiresAt: '2023-11-14T22:13:50.000Z' },
    ]);
    const other = await put('stock', { limit: 1, token: 'other' });
    expect([other.status, other.body.code, other.headers['retry-after']]).toEqual([409, 'LOCK_HELD', '5']);
    expect(other.body.detail).toBe(
      'the lock stock is held by a client until 2023-11-14T22:13:50.000Z (30 s more) unless it is released or renewed',
    );
    expect(JSON.stringify(other.body)).not.toContain(first.body.token);
    expect((await remove('stock', 'other')).body).toEqual({ name: 'stock', released: false });
    const { token } = first.body as LockView;
    for (const released of [true, false])
      expect((await remove('stock', token)).body).toEqual({ name: 'stock', released });
    expect((await put('stock', { token: 'other' })).body).toMatchObject({ token: 'other', fence: 2 });
  });

  it('are the same again for the same token, and anybody’s after their limit', async () => {
    const asked = { limit: 30, token: 'mine' };
    expect([(await put('stock', asked)).body.fence, (await put('stock', asked)).body.fence]).toEqual([1, 1]);
    clock.advance(lateMs);
    expect((await put('stock', { token: 'other' })).body.fence).toBe(2);
    expect((await put('stock', asked)).status).toBe(409);
  });

  it('are waited for, and had as soon as they are given back', async () => {
    await put('stock', { token: 'first' });
    const waiting = put('stock', { token: 'second', wait: 30 }).then((response) => response);
    await store.acquireLock({ name: 'other', holder: { kind: 'client', token: 'x' }, limitMs: 1_000 });
    await remove('stock', 'first');
    expect((await waiting).body).toMatchObject({ token: 'second', fence: 2 });
  });

  it('are had over NATS, with plain JSON', async () => {
    const had = await ask<LockView>('acquire', { name: 'stock' });
    expect(had).toMatchObject({ name: 'stock', fence: 1 });
    expect(await ask<Problem>('acquire', { name: 'stock', token: 'other' })).toMatchObject({
      ...{ code: 'LOCK_HELD', status: 409, detail: expect.stringContaining('held by a client') },
    });
    const { token } = had;
    expect(await ask('renew', { name: 'stock', token, limit: 60 })).toMatchObject({ token, fence: 1 });
    expect(await ask('release', { name: 'stock', token })).toEqual({ name: 'stock', released: true });
    expect(await ask('renew', { name: 'stock', token })).toMatchObject({ code: 'LOCK_LOST', status: 409 });
  });

  it.each([
    ['a b', {}, 'name'],
    ['.hidden', {}, 'name'],
    ['stock', { limit: 0 }, 'limit'],
    ['stock', { limit: 3_601 }, 'limit'],
    ['stock', { wait: 31 }, 'wait'],
    ['stock', { token: 'a b' }, 'token'],
    ['stock', { ttl: 3 }, 'ttl'],
  ])('refuse %j %j in words', async (name, body, field) => {
    const { status, body: problem } = await put(encodeURIComponent(name), body);
    expect([status, problem.code]).toEqual([400, 'REQUEST_INVALID']);
    expect(problem.detail).toContain(field);
  });

  it('say so when the store is away', async () => {
    fault = new Fault('STORE_UNAVAILABLE', 'the database is away');
    const { status, body, headers } = await put('stock', {});
    expect([status, body.code, headers['retry-after']]).toEqual([503, 'STORE_UNAVAILABLE', '2']);
  }, 15_000);
});

describe('a lock whose answer was lost', () => {
  const ask = async (token?: string) => {
    const asked: object[] = [];
    const call = async ({ name }: { name: string }, { holder }: { holder: object }) => {
      asked.push({ name, ...holder });
      if (name === acquireLock.name) throw new Fault('STORE_UNAVAILABLE', 'the answer was lost');
      return { body: { outcome: 'released' }, raw: new Uint8Array() };
    };
    const context = { clock: new FakeClock(), newId: () => 'made', bus: { call } } as unknown as ServiceContext;
    const refused = new Locks(context).acquire('stock', { limit: 3_600, wait: 0, ...(token && { token }) });
    await expect(refused).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    await settled();
    return asked;
  };

  it('is given back when the token was made here: nobody else knows it', async () => {
    expect(await ask()).toEqual([
      { name: 'store.acquire-lock', kind: 'client', token: 'made' },
      { name: 'store.release-lock', kind: 'client', token: 'made' },
    ]);
  });

  it('is left to a client that knows its token and asks again', async () => {
    expect(await ask('mine')).toEqual([{ name: 'store.acquire-lock', kind: 'client', token: 'mine' }]);
  });
});

describe('a client that waits for a lock', () => {
  const held = { outcome: 'held', by: { kind: 'client' }, expiresAt: 0, leftMs: 900_000 };
  function given() {
    const clock = new FakeClock();
    const asked: string[] = [];
    const call = async ({ name }: { name: string }) => ({ body: (asked.push(name), held), raw: new Uint8Array() });
    const context = { clock, newId: () => 'token', bus: { call } } as unknown as ServiceContext;
    const locks = new Locks(context);
    return { clock, asked, locks, controller: new LocksController(context, locks) };
  }

  it('and goes away gets none', async () => {
    const { controller, clock } = given();
    const [body, response] = [new PassThrough(), new EventEmitter()];
    const waiting = controller
      .acquire('stock', body as unknown as Request, response as Response)
      .catch((e: Fault) => e);
    body.end('{"wait":30}');
    await settled();
    expect(clock.pending).toBe(1);
    response.emit('close');
    expect(await waiting).toMatchObject({ code: 'SERVICE_UNAVAILABLE' });
    expect(clock.pending).toBe(0);
  });

  it('is told at once when too many wait, and let go when the node stops', async () => {
    const { locks, clock } = given();
    const ask = () => locks.acquire('stock', { limit: 30, wait: 30 }).catch((error: Fault) => error);
    const waiting = Array.from({ length: 256 }, ask);
    await settled();
    expect([clock.pending, await ask()]).toMatchObject([256, { code: 'LOCK_HELD' }]);
    locks.onModuleDestroy();
    for (const ended of await Promise.all(waiting)) expect(ended).toMatchObject({ code: 'SERVICE_UNAVAILABLE' });
    expect(clock.pending).toBe(0);
  });
});
