import { once } from 'node:events';
import { type RequestListener, type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { SystemClock } from '@das/platform/basics';
import { Client } from './client.js';
import { view } from '../stub-cluster.fixture.js';
import type { SubmissionParts } from './multipart.js';
import { submitJob } from './submit.js';

/** One wait is over at once; of the others none ever ends. */
class Waits extends SystemClock {
  constructor(private readonly overMs: number | undefined) {
    super();
  }
  override timer(after: number, fire: () => void) {
    return after === this.overMs ? super.timer(0, fire) : () => undefined;
  }
}

describe('a submission', () => {
  let server: Server;
  let answer: RequestListener;
  let url: string;
  let leave: AbortController;
  let sent: number;
  beforeEach(async () => {
    [leave, sent] = [new AbortController(), 0];
    server = createServer((request, response) =>
      request.method === 'GET' ? response.end('{}') : answer(request, response),
    ).listen(0, '127.0.0.1');
    await once(server, 'listening');
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterEach(() => (server.closeAllConnections(), server.close()));

  const submit = (input?: PassThrough, overMs?: number) => {
    const parts = { spec: {}, code: { filename: 'job.py', bytes: new Uint8Array() }, input };
    const client = new Client({ urls: [url], token: 't' }, new Waits(overMs));
    return submitJob(client, parts, 'b', { signal: leave.signal, sent: () => void sent++ });
  };

  it('ends when it is broken off while nothing is there to read', async () => {
    const input = new PassThrough();
    answer = (request) => void request.once('data', () => leave.abort());
    await expect(submit(input)).rejects.toMatchObject({ name: 'AbortError' });
    expect([input.destroyed, sent]).toEqual([true, 0]);
  });

  it('tells a refusal that comes while nothing is there to read', async () => {
    const input = new PassThrough();
    const problem = { type: 't', title: 't', status: 400, detail: 'no such function', code: 'SCRIPT_INVALID' };
    answer = (request, response) => {
      request.resume();
      response.writeHead(400).end(JSON.stringify(problem));
    };
    await expect(submit(input)).rejects.toMatchObject({ problem: { detail: 'no such function' } });
    expect([input.destroyed, sent]).toEqual([true, 0]);
  });

  it.each([
    ['is not answered', 'no answer for 120 s', 120_000, () => undefined],
    [
      'loses its connection',
      'ECONNRESET',
      undefined,
      (request, response) => void request.resume().on('end', () => response.destroy()),
    ],
  ] as [string, string, number | undefined, RequestListener][])(
    'that went out whole and %s may run',
    async (_, why, overMs, handler) => {
      answer = handler;
      await expect(submit(undefined, overMs)).rejects.toMatchObject({
        message: `${url} did not answer the submission (${why})`,
        details: { hint: 'the job may run; das jobs shows it' },
      });
      // Under its key it may go out again; a node that is only silent is asked once, as there is no other.
      expect(sent).toBe(overMs === undefined ? 3 : 1);
    },
  );

  describe('whose connection breaks goes out again under the same key', () => {
    const keys: (string | undefined)[] = [];
    const bodies: string[] = [];
    const problem = { type: 't', title: 't', status: 409, detail: 'in use', code: 'IDEMPOTENCY_KEY_IN_USE' };
    const answers = (...steps: ('break' | 'busy' | 'take')[]): RequestListener => {
      keys.length = bodies.length = 0;
      return (request, response) => {
        keys.push(request.headers['idempotency-key'] as string);
        void text(request).then((body) => {
          bodies.push(body);
          const step = steps.shift() ?? 'take';
          if (step === 'break') response.destroy();
          else if (step === 'busy') response.writeHead(409).end(JSON.stringify(problem));
          else response.writeHead(202).end(JSON.stringify(view('running')));
        });
      };
    };
    const from = (text: string) => PassThrough.from([Buffer.from(text)]);
    const send = (parts: Partial<SubmissionParts>) =>
      submitJob(
        new Client({ urls: [url], token: 't' }, new Waits(1_000)),
        { spec: {}, code: { filename: 'job.py', bytes: new Uint8Array() }, input: undefined, ...parts },
        'das-1',
        { signal: leave.signal, sent: () => void sent++ },
      );

    it('with its whole input, and waits for a node that has not noticed yet', async () => {
      answer = answers('break', 'busy', 'busy', 'take');
      const reopen = () => from('1\n2\n');
      expect(await send({ input: reopen(), reopen })).toMatchObject({ id: 'j-1' });
      expect(keys).toEqual(['das-1', 'das-1', 'das-1', 'das-1']);
      expect(new Set(bodies).size).toBe(1);
      expect(bodies[0]).toContain('1\n2\n');
    });

    it('but not when its input comes only once', async () => {
      answer = answers('break');
      await expect(send({ input: from('1\n') })).rejects.toMatchObject({
        details: { hint: 'the job may run; das jobs shows it' },
      });
      expect(keys).toHaveLength(1);
    });

    it('and a key that is in use from the start is told', async () => {
      answer = answers('busy');
      await expect(send({})).rejects.toMatchObject({ problem: { code: 'IDEMPOTENCY_KEY_IN_USE' } });
      expect(keys).toHaveLength(1);
    });
  });
});
