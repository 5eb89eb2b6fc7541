import { FakeClock } from '@das/testing';
import { type FakeStart, FakeProcess, fakeStart } from '../testing/fake-launch.js';
import { startWorker } from './worker-start.js';

describe('starting a worker', () => {
  const clock = new FakeClock();
  const launched = new FakeProcess();
  let start: FakeStart;
  afterEach(() => start.close());
  const no = (): never => {
    throw new Error('no space left');
  };
  const refusal = async (): Promise<string> =>
    startWorker(start).then(
      () => 'started',
      (error: Error) => error.message,
    );

  it('gives the account back when the folder cannot be made', async () => {
    start = await fakeStart(clock, () => launched);
    await start.close();
    expect(await refusal()).toContain('ENOENT');
    expect(start.did).toEqual(['claim', 'release']);
  });

  it('gives the account back, and removes the folder, when it cannot be furnished', async () => {
    start = await fakeStart(clock, () => launched, { furnish: async () => no() });
    expect(await refusal()).toBe('no space left');
    expect([start.did, await start.folders()]).toEqual([['claim', 'release'], []]);
  });

  it('closes what it furnished, too, when the process cannot be started', async () => {
    start = await fakeStart(clock, no);
    expect(await refusal()).toBe('no space left');
    expect([start.did, await start.folders()]).toEqual([['claim', 'close', 'release'], []]);
  });

  it('gives the account back although tidying up fails, and tells why it failed', async () => {
    const furnish = async () => ({
      position: () => ({ item: undefined, counter: 0 }),
      confirm: () => undefined,
      cancel: () => undefined,
      close: async () => no(),
    });
    start = await fakeStart(clock, () => launched, { furnish });
    const failing = { ...start, launcher: { launch: async () => Promise.reject(new Error('first')) } };
    await expect(startWorker(failing)).rejects.toThrow('first');
    expect([start.did, await start.folders(), start.faults]).toEqual([['claim', 'release'], [], [expect.any(Error)]]);
  });

  it('tells when it cannot tidy up after a worker, which is gone all the same', async () => {
    const ended = new FakeProcess();
    const furnish = async () => ({
      position: () => ({ item: undefined, counter: 0 }),
      confirm: () => undefined,
      cancel: () => undefined,
      close: async () => no(),
    });
    start = await fakeStart(clock, () => ended, { furnish });
    const { gone } = await startWorker(start);
    ended.end({ code: 0, signal: null });
    expect(await gone).toEqual({ code: 0, signal: null });
    expect([start.faults, await start.folders()]).toEqual([[expect.any(Error)], []]);
  });

  it('leaves the account to the warden once that watches, whatever becomes of the worker', async () => {
    start = await fakeStart(clock, () => launched);
    const { gone } = await startWorker(start);
    launched.end({ code: 1, signal: null });
    await gone;
    expect([start.did, await start.folders()]).toEqual([['claim', 'watch', 'end', 'close'], []]);
  });
});
