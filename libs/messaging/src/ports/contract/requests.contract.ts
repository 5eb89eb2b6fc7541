import { Fault } from '@das/contracts';
import { faultOfReply } from '../../rpc.js';
import { type Bench, bytes, codeOf, message, textOf } from './tools.contract.js';

/** A request gets one answer, or says why not. */
export function requestsContract(bench: Bench): void {
  it('answers a request by what the handler resolves to', async () => {
    const [caller, answerer] = [await bench().connect(), await bench().connect()];
    await answerer.subscribe('r.echo', {}, async (received, wantsReply) => ({
      payload: bytes(`${textOf(received)}!${String(wantsReply)}`),
      bodyBytes: 2,
      headers: { 'das-next': 'ü 1' },
    }));
    const reply = await caller.request(message('r.echo', 'hé'), { timeoutMs: 5_000 });
    expect(textOf(reply)).toBe('hé!true');
    expect(reply.bodyBytes).toBe(2);
    expect(reply.headers).toEqual({ 'das-next': 'ü 1' });
  });

  it('keeps many requests in flight apart', async () => {
    const [caller, answerer] = [await bench().connect(), await bench().connect()];
    await answerer.subscribe('r.many', {}, async (received) => ({ payload: received.payload }));
    const texts = Array.from({ length: 300 }, (_, n) => `n${n}`);
    const replies = await Promise.all(texts.map((t) => caller.request(message('r.many', t), { timeoutMs: 10_000 })));
    expect(replies.map(textOf)).toEqual(texts);
  });

  it('says at once that nobody listens', async () => {
    const caller = await bench().connect();
    // A deadline far beyond the test's own: only an answer at once passes.
    expect(await codeOf(caller.request(message('r.nobody', ''), { timeoutMs: 600_000 }))).toBe('SERVICE_UNAVAILABLE');
  });

  it('gives up on a request at its deadline', async () => {
    const [caller, answerer] = [await bench().connect(), await bench().connect()];
    let release: () => void = () => undefined;
    await answerer.subscribe('r.slow', {}, () => new Promise((resolve) => (release = () => resolve(undefined))));
    expect(await codeOf(caller.request(message('r.slow', ''), { timeoutMs: 30 }))).toBe('REQUEST_TIMEOUT');
    release();
  });

  it('answers by an error reply when the handler rejects: the code of a Fault, else INTERNAL, never a stack', async () => {
    const [caller, answerer] = [await bench().connect(), await bench().connect()];
    await answerer.subscribe('r.fault', {}, () =>
      Promise.reject(new Fault('JOB_NOT_FOUND', 'no job x', { field: 'job', expected: 'an id', hint: 'das jobs' })),
    );
    await answerer.subscribe('r.bug', {}, () => Promise.reject(new TypeError('oops')));
    const fault = faultOfReply(await caller.request(message('r.fault', ''), { timeoutMs: 5_000 }));
    expect(fault).toMatchObject({
      code: 'JOB_NOT_FOUND',
      message: 'no job x',
      hint: 'das jobs',
      details: { field: 'job', expected: 'an id' },
    });
    const bug = await caller.request(message('r.bug', ''), { timeoutMs: 5_000 });
    expect(faultOfReply(bug)?.code).toBe('INTERNAL');
    expect(textOf(bug)).not.toContain('at ');
  });
}
