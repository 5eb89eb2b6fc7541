import { once } from 'node:events';
import { type Server, createServer, request as httpRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import { PassThrough } from 'node:stream';
import { limits } from '@das/contracts';
import type { Clock } from '@das/kernel';
import type { ServiceContext } from '@das/platform';
import { FakeClock } from '@das/testing';
import type { INestApplication } from '@nestjs/common';
import type { Request } from 'express';
import { service } from '../service.js';
import { ArchiveRoom } from './code-part.js';
import { readJson } from './body.js';
import { frontLimits } from './config.js';
import { onIdleBody } from './idle-body.js';
import { readMultipart } from './multipart.js';

/** A request that a test feeds; `rest` is what the runtime calls when nothing came for `idleMs`. */
class FakeRequest extends PassThrough {
  readonly headers = { 'content-type': 'multipart/form-data; boundary=x' };
  readonly complete = false;
  idleMs = 0;
  rest: () => void = () => undefined;

  setTimeout(ms: number, paused: () => void = () => undefined): void {
    this.idleMs = ms;
    this.rest = paused;
  }
  get asRequest(): Request {
    return this as unknown as Request;
  }
}

const configure = (server: Server, clock: Clock): void =>
  void service.configureHttp?.({ getHttpServer: () => server } as INestApplication, { clock } as ServiceContext);

describe('a body that stops coming', () => {
  it('ends an upload with the reason, after the time that the store keeps an idle one', async () => {
    const request = new FakeRequest();
    const part = (name: string) => `--x\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n`;
    request.write(`${part('code')}def map(item): pass\r\n${part('input')}1\n2\n`);
    const { input } = await readMultipart(request.asRequest, new ArchiveRoom());
    expect(request.idleMs).toBe(limits.uploadIdleMs);
    request.rest();
    const read = async () => {
      for await (const _ of input ?? []);
    };
    await expect(read()).rejects.toMatchObject({
      code: 'JOB_ENDED',
      message: 'the upload paused for more than 10 minutes, so its job was dropped',
    });
  });

  it('is watched no longer once it is whole', async () => {
    const request = new FakeRequest();
    onIdleBody(request.asRequest, () => undefined);
    const ended = new Promise((resolve) => request.once('end', resolve));
    request.end('{}');
    request.resume();
    await ended;
    expect(request.idleMs).toBe(0);
  });

  it('is the only bound in time: a long upload is not cut off by the runtime', () => {
    const server = createServer();
    expect(server.requestTimeout).toBeGreaterThan(0);
    configure(server, new FakeClock());
    expect(server.requestTimeout).toBe(0);
    expect(server.headersTimeout).toBeGreaterThan(0);
  });
});

describe('a body that nobody reads', () => {
  it('is thrown away for a while after the answer, then the connection is closed', async () => {
    const clock = new FakeClock();
    const server = createServer();
    configure(server, clock);
    const answered = new Promise<void>((resolve) => {
      server.on('request', (_, response) => response.once('finish', resolve).end('live'));
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const { port } = server.address() as AddressInfo;
    const client = httpRequest({ host: '127.0.0.1', port, headers: { 'content-length': 1_000_000 } });
    try {
      client.on('error', () => undefined).write('x');
      const [response] = (await once(client, 'response')) as [NodeJS.ReadableStream];
      response.on('error', () => undefined).resume();
      await answered;
      clock.advance(frontLimits.discardMs - 1);
      client.write('x');
      expect(client.destroyed).toBe(false);
      expect(clock.pending).toBe(1);
      const closed = once(client, 'close');
      clock.advance(1);
      await closed;
    } finally {
      client.destroy();
      await new Promise((resolve) => server.close(resolve));
    }
    expect(clock.pending).toBe(0);
  });
});

describe('a JSON body', () => {
  const read = (request: FakeRequest, clock = new FakeClock()) => {
    const body = readJson(request.asRequest, clock, 10);
    body.catch(() => undefined);
    return { body, clock };
  };

  it('that drips is refused after a minute, and what follows flows on', async () => {
    const request = new FakeRequest();
    const { body, clock } = read(request);
    for (let s = 0; s < frontLimits.bodyMs / 1_000; s += 20) {
      request.write('1');
      await clock.advanceAsync(20_000);
    }
    await expect(body).rejects.toMatchObject({
      code: 'REQUEST_INVALID',
      message: 'the body was not there whole after 60 s',
    });
    expect(request.destroyed).toBe(false);
    const ended = once(request.resume(), 'end');
    request.end('1'.repeat(100_000));
    await ended;
  });

  it.each([
    ['is too large', (request: FakeRequest) => void request.end('1'.repeat(11)), { code: 'PAYLOAD_TOO_LARGE' }],
    ['breaks off', (request: FakeRequest) => void request.destroy(), { code: 'REQUEST_INVALID' }],
    ['fails', (request: FakeRequest) => void request.destroy(new Error('aborted')), { code: 'REQUEST_INVALID' }],
  ])('that %s is refused, and watched no longer', async (_, act, fault) => {
    const request = new FakeRequest();
    const { body, clock } = read(request);
    act(request);
    await expect(body).rejects.toMatchObject(fault);
    expect(clock.pending).toBe(0);
  });

  it('that came whole is watched no longer', async () => {
    const request = new FakeRequest();
    const { body, clock } = read(request);
    request.end('{"a":1}');
    expect(await body).toEqual({ a: 1 });
    expect(clock.pending).toBe(0);
  });
});
