import { FakeClock } from './fake-clock.js';

describe('FakeClock', () => {
  it('stands still until it is moved', () => {
    const clock = new FakeClock(1_000);
    expect([clock.now(), clock.monotonic()]).toEqual([1_000, 0]);
    clock.advance(5);
    expect([clock.now(), clock.monotonic()]).toEqual([1_005, 5]);
  });

  it('fires timers in the order of their due time, those due together as set, at their time', () => {
    const clock = new FakeClock();
    const fired: string[] = [];
    const timer = (after: number, name: string) => clock.timer(after, () => fired.push(`${name}@${clock.monotonic()}`));
    timer(20, 'c');
    timer(10, 'a');
    timer(10, 'b');
    timer(31, 'late');
    clock.advance(9);
    expect(fired).toEqual([]);
    clock.advance(21);
    expect(fired).toEqual(['a@10', 'b@10', 'c@20']);
    expect(clock.pending).toBe(1);
  });

  it('fires timers that were set on the way', () => {
    const clock = new FakeClock();
    const fired: number[] = [];
    clock.timer(10, () => clock.timer(10, () => fired.push(clock.monotonic())));
    clock.advance(20);
    expect(fired).toEqual([20]);
  });

  it('does not fire a cancelled timer; cancelling later does nothing', () => {
    const clock = new FakeClock();
    let fired = 0;
    const cancel = clock.timer(1, () => (fired += 1));
    cancel();
    clock.advance(2);
    cancel();
    expect(fired).toBe(0);
  });

  it('repeats until cancelled', () => {
    const clock = new FakeClock();
    const fired: number[] = [];
    const cancel = clock.every(10, () => {
      fired.push(clock.monotonic());
      if (fired.length === 3) cancel();
    });
    clock.advance(100);
    expect(fired).toEqual([10, 20, 30]);
    expect(clock.pending).toBe(0);
  });

  it('lets promises settle between timers, so that what they set fires in its turn', async () => {
    const clock = new FakeClock();
    const seen: string[] = [];
    const pause = (ms: number) => new Promise<void>((resolve) => clock.timer(ms, resolve));
    const chain = async (): Promise<void> => {
      await pause(10);
      seen.push(`a@${clock.monotonic()}`);
      await pause(10);
      seen.push(`b@${clock.monotonic()}`);
    };
    void chain();
    clock.timer(15, () => seen.push('between'));
    await clock.advanceAsync(20);
    expect(seen).toEqual(['a@10', 'between', 'b@20']);
  });
});
