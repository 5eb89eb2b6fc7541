import { type AttemptRef, limits, stageOutput } from '@das/contracts';
import type { RunEnd } from '@das/execution';
import { type PartId, durationMs, jobId } from '@das/kernel';
import { FakeClock, settled } from '@das/testing';
import { underLease } from './lease.js';
import { RefusedError } from './output.js';
import { type StoreClient, StoppedError } from './store-client.js';

const attempt: AttemptRef = { job: jobId('j'), generation: 1, part: 'hook:0-1' as PartId, attempt: 1 };

const finished: RunEnd = { kind: 'ended', items: 0 };
const gone: RunEnd = { kind: 'gone', exit: { code: null, signal: 'SIGKILL' } };

/** A lease whose questions are answered, or not, as a test likes; its work ends when it is killed, or told to. */
function holder() {
  const clock = new FakeClock();
  const stop = new AbortController();
  const asked: unknown[] = [];
  const confirmedMs: number[] = [];
  let answers: 'staged' | 'staleAttempt' | 'none' = 'staged';
  let answerMs = 0;
  let end: (how: RunEnd) => void = () => undefined;
  let startedMs: number | undefined;
  let killedMs: number | undefined;
  const ask = (operation: { name: string }, body: unknown, signal: AbortSignal) => {
    expect(operation.name).toBe(stageOutput.name);
    if (signal.aborted) return Promise.reject(new StoppedError());
    asked.push(body);
    const answer = { body: { outcome: answers }, raw: new Uint8Array() };
    if (answers !== 'none' && answerMs === 0) return Promise.resolve(answer);
    if (answers !== 'none') return new Promise((resolve) => clock.timer(answerMs, () => resolve(answer)));
    return new Promise((_, reject) => signal.addEventListener('abort', () => reject(new StoppedError())));
  };
  const kill = (): void => {
    killedMs ??= clock.monotonic();
    end(gone);
  };
  const confirm = (): void => void confirmedMs.push(clock.monotonic());
  const worker = { kill, runtime: { confirm } };
  const held = { store: { ask } as unknown as StoreClient, clock, attempt, signal: stop.signal, worker };
  const run = (): Promise<RunEnd> => {
    startedMs = clock.monotonic();
    return new Promise((resolve) => (end = resolve));
  };
  const over = (): Promise<unknown> => underLease(held, run).catch((error: unknown) => error);
  return {
    ...{ clock, asked, confirmedMs, over, stop },
    finish: () => end(finished),
    endItself: () => end(gone),
    answerAfter: (ms: number) => void (answerMs = ms),
    let: (how: typeof answers) => void (answers = how),
    times: () => ({ startedMs, killedMs }),
  };
}

describe('a lease', () => {
  it('is taken before the work begins, confirmed every second, and nothing is left of it', async () => {
    const h = holder();
    const over = h.over();
    await settled();
    expect(h.asked).toEqual([{ attempt, rows: [] }]);
    await h.clock.advanceAsync(10 * limits.hookConfirmMs);
    expect(h.asked).toHaveLength(11);
    expect(h.confirmedMs).toHaveLength(11);
    h.finish();
    expect(await over).toEqual(finished);
    expect([h.times().killedMs, h.clock.pending]).toEqual([undefined, 0]);
  });

  it('is over once the last confirmation was asked for too long ago: the work is ended, and its outcome counts for nothing', async () => {
    const h = holder();
    const over = h.over();
    await settled();
    await h.clock.advanceAsync(5 * limits.hookConfirmMs);
    const confirmedMs = h.clock.monotonic();
    h.let('none');
    await h.clock.advanceAsync(20_000);
    expect(await over).toMatchObject({ message: expect.stringContaining('did not confirm') });
    const heldMs = h.times().killedMs! - confirmedMs;
    expect(heldMs).toBeGreaterThan(limits.hookLeaseMs);
    // Before any other attempt may start, with room to die.
    expect(heldMs).toBeLessThanOrEqual(limits.hookRestMs - 500);
    expect(h.clock.pending).toBe(0);
  });

  it('is lost at once when the store has ended the attempt', async () => {
    const h = holder();
    const over = h.over();
    await settled();
    h.let('staleAttempt');
    await h.clock.advanceAsync(limits.hookConfirmMs);
    const error = await over;
    expect(error).toBeInstanceOf(RefusedError);
    expect(error).toMatchObject({ outcome: 'staleAttempt' });
    expect(h.times().killedMs).toBeDefined();
  });

  it('is not had of an attempt that has ended before: nothing is run', async () => {
    const h = holder();
    h.let('staleAttempt');
    expect(await h.over()).toBeInstanceOf(RefusedError);
    expect(h.times().startedMs).toBeUndefined();
  });

  it('ends with its attempt', async () => {
    const h = holder();
    h.let('none');
    const over = h.over();
    h.stop.abort();
    expect(await over).toBeInstanceOf(StoppedError);
    expect([h.times().startedMs, h.clock.pending]).toEqual([undefined, 0]);
  });

  it.each([
    ['answers slowly', 600, 'staged'],
    ['does not answer', 0, 'none'],
  ] as const)('is not had of a store that %s: the attempt is given back unbegun', async (_, answerMs, answers) => {
    const h = holder();
    h.answerAfter(answerMs);
    h.let(answers);
    const over = h.over();
    await h.clock.advanceAsync(limits.hookLeaseMs - 1);
    // One question each 600 ms of answer and 200 ms of pause.
    expect(h.asked).toHaveLength(answerMs === 0 ? 1 : 4);
    await h.clock.advanceAsync(1);
    expect(await Promise.race([over, settled()])).toMatchObject({ message: expect.stringContaining('fast enough') });
    await h.clock.advanceAsync(answerMs);
    expect([h.times().startedMs, h.confirmedMs, h.clock.pending]).toEqual([undefined, [], 0]);
  });

  it('is no crash of a worker that was told of nothing for as long as the lease, and ended itself', async () => {
    const h = holder();
    const over = h.over();
    await settled();
    h.answerAfter(600);
    await h.clock.advanceAsync(limits.hookLeaseMs);
    // The lease itself is kept: the answers come, but too late to be handed on.
    expect([h.confirmedMs, h.times().killedMs]).toEqual([[0], undefined]);
    h.endItself();
    expect(await over).toMatchObject({ message: expect.stringContaining('told of no confirmation') });
  });

  it('is no crash of a worker that ended itself while this process stood still, heard of before any timer fires', async () => {
    const h = holder();
    const over = h.over();
    await settled();
    const now = jest.spyOn(h.clock, 'monotonic').mockReturnValue(durationMs(900 + 2_500));
    h.endItself();
    expect(await over).toMatchObject({ message: expect.stringContaining('told of no confirmation') });
    now.mockRestore();
  });

  it('leaves a crash what it is, and an outcome that came late', async () => {
    const crashed = holder();
    const crash = crashed.over();
    await crashed.clock.advanceAsync(limits.hookLeaseMs + limits.hookConfirmMs / 2);
    crashed.endItself();
    expect(await crash).toEqual(gone);
    const slow = holder();
    const outcome = slow.over();
    await settled();
    slow.answerAfter(600);
    await slow.clock.advanceAsync(limits.hookLeaseMs);
    slow.finish();
    expect(await outcome).toEqual(finished);
  });
});
