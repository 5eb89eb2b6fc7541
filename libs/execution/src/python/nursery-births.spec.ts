import type { Socket } from 'node:net';
import { PassThrough } from 'node:stream';
import { FakeClock } from '@das/testing';
import { NurseryBirths, forkMs } from './nursery-births.js';

describe('births', () => {
  let clock: FakeClock;
  let ended: number[];
  let births: NurseryBirths;
  beforeEach(() => {
    clock = new FakeClock();
    ended = [];
    births = new NurseryBirths(clock, (pid) => void ended.push(pid));
  });
  afterEach(() => expect(clock.pending).toBe(0));
  const stream = (): Socket => new PassThrough() as unknown as Socket;

  it('are complete with a pid and three streams', async () => {
    const born = births.expect('a');
    for (const kind of ['c', 'o', 'e'] as const) births.called('a', kind, stream());
    births.forked('a', 7);
    expect((await born).pid).toBe(7);
    births.exited('a', { code: 3, signal: null });
    expect(await (await born).exited).toEqual({ code: 3, signal: null });
    expect(ended).toEqual([]);
  });

  it('that take too long fail: their streams are closed, and their process is ended', async () => {
    const born = births.expect('a');
    const [channel, late] = [stream(), stream()];
    births.called('a', 'c', channel);
    births.forked('a', 7);
    clock.advance(forkMs);
    await expect(born).rejects.toThrow('did not call back');
    births.called('a', 'o', late);
    expect([ended, channel.destroyed, late.destroyed]).toEqual([[7], true, true]);
  });

  it('that nobody waits for any more are ended when they are told', async () => {
    const born = births.expect('a');
    clock.advance(forkMs);
    await expect(born).rejects.toThrow('did not call back');
    births.forked('a', 7);
    expect(ended).toEqual([7]);
  });

  it('take each stream once', async () => {
    const born = births.expect('a');
    const [first, second] = [stream(), stream()];
    births.called('a', 'c', first);
    births.called('a', 'c', second);
    births.lost('gone');
    await expect(born).rejects.toThrow('gone');
    expect([first.destroyed, second.destroyed]).toEqual([true, true]);
  });
});
