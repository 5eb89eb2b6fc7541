import { FakeClock } from '@das/testing';
import { durationMs } from '@das/kernel';
import { watchProgress } from './progress-watch.js';

/** A node that stands still: time passes, and no timer fires meanwhile. */
class FreezingClock extends FakeClock {
  #frozenMs = 0;
  freeze(ms: number): void {
    this.#frozenMs += ms;
  }
  override monotonic(): ReturnType<FakeClock['monotonic']> {
    return durationMs(super.monotonic() + this.#frozenMs);
  }
}

describe('the watch over progress', () => {
  const clock = new FreezingClock();
  const worker = { waitsForUs: false, item: 0, position: () => ({ item: worker.item, counter: 0 }) };
  let stuck: number;
  let cancel: () => void;
  beforeEach(() => {
    stuck = 0;
    worker.waitsForUs = false;
    cancel = watchProgress(worker, clock, 10_000, () => (stuck += 1));
  });
  afterEach(() => {
    cancel();
    expect(clock.pending).toBe(0);
  });

  it('blames a worker without progress, once', () => {
    clock.advance(9_999);
    expect(stuck).toBe(0);
    clock.advance(60_000);
    expect(stuck).toBe(1);
  });

  it('is content with progress, and with a worker that waits for us', () => {
    clock.advance(9_000);
    worker.item += 1;
    clock.advance(10_000);
    worker.waitsForUs = true;
    clock.advance(20_000);
    expect(stuck).toBe(0);
  });

  it('does not count the time that the node stood still', () => {
    clock.advance(4_000);
    clock.freeze(3_600_000);
    clock.advance(5_000);
    expect(stuck).toBe(0);
    clock.advance(2_000);
    expect(stuck).toBe(1);
  });

  it('counts looks that come a little late', () => {
    for (let second = 0; second < 10; second += 1) {
      clock.freeze(900);
      clock.advance(1_000);
    }
    expect(stuck).toBe(1);
  });
});
