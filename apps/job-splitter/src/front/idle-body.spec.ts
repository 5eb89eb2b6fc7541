import { PassThrough } from 'node:stream';
import { createServer } from 'node:http';
import { limits } from '@das/contracts';
import type { INestApplication } from '@nestjs/common';
import type { Request } from 'express';
import { service } from '../service.js';
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

describe('a body that stops coming', () => {
  it('ends an upload with the reason, after the time that the store keeps an idle one', async () => {
    const request = new FakeRequest();
    const part = (name: string) => `--x\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n`;
    request.write(`${part('code')}def map(item): pass\r\n${part('input')}1\n2\n`);
    const { input } = await readMultipart(request.asRequest);
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
    void service.configureHttp?.({ getHttpServer: () => server } as INestApplication, undefined as never);
    expect(server.requestTimeout).toBe(0);
    expect(server.headersTimeout).toBeGreaterThan(0);
  });
});
