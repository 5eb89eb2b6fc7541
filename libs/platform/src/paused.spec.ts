import { getEventListeners } from 'node:events';
import { FakeClock, settled } from '@das/testing';
import { paused } from './paused.js';

describe('a pause', () => {
  it('lasts as long as it is to, and leaves nothing on its signal', async () => {
    const clock = new FakeClock();
    const { signal } = new AbortController();
    let over = false;
    const pause = paused(clock, 100, signal).then(() => (over = true));
    clock.advance(99);
    await settled();
    expect(over).toBe(false);
    clock.advance(1);
    await pause;
    expect([clock.pending, getEventListeners(signal, 'abort')]).toEqual([0, []]);
  });

  it('ends when the signal is aborted, before it or meanwhile', async () => {
    const clock = new FakeClock();
    const controller = new AbortController();
    const pause = paused(clock, 100, controller.signal);
    controller.abort();
    await pause;
    await paused(clock, 100, controller.signal);
    expect(clock.pending).toBe(0);
  });
});
