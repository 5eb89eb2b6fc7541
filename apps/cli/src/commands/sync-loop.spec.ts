import { FakeClock } from '@das/testing';
import { Changes } from '../input/changes.js';
import { type Round, SyncLoop } from './sync-loop.js';

/** Lets everything that waits for a promise go on. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('looking for changes', () => {
  it('tells one when two looks agree, and none while the files are being written', async () => {
    const clock = new FakeClock();
    let files = 'a';
    const changes = new Changes(() => Promise.resolve(files), clock);
    await changes.settle();
    const told = changes.next(new AbortController().signal);
    await clock.advanceAsync(2_000);
    let heard = false;
    void told.then(() => (heard = true));
    for (const text of ['ab', 'abc', 'abcd']) {
      files = text;
      await clock.advanceAsync(500);
    }
    expect(heard).toBe(false);
    await clock.advanceAsync(500);
    expect([heard, await told, clock.pending]).toEqual([true, true, 0]);
  });

  it('rests ten times as long as a look took, and ends when it is told to', async () => {
    const clock = new FakeClock();
    let looks = 0;
    const look = (): Promise<string> => {
      looks += 1;
      clock.advance(1_000);
      return Promise.resolve('a');
    };
    const ending = new AbortController();
    const told = new Changes(look, clock).next(ending.signal);
    await settled();
    const after = looks;
    await clock.advanceAsync(9_000);
    expect(looks).toBe(after);
    ending.abort();
    expect([await told, clock.pending]).toEqual([false, 0]);
  });
});

describe('das sync', () => {
  let rounds: Array<{ end: (error?: Error) => void; interrupts: number }>;
  let change: (() => void) | undefined;
  let said: string[];
  const start = (): Round => {
    const round = { end: (_?: Error): void => undefined, interrupts: 0 };
    const over = new Promise<void>((resolve, reject) => {
      round.end = (error) => (error === undefined ? resolve() : reject(error));
    });
    rounds.push(round);
    return { over, interrupt: () => (round.interrupts++, round.end(new Error('cancelled'))) };
  };
  const loop = (): SyncLoop =>
    new SyncLoop({
      start,
      changed: (signal) =>
        new Promise((resolve) => {
          change = () => resolve(true);
          signal.addEventListener('abort', () => resolve(false));
        }),
      failed: ({ message }: Error) => void said.push(message),
      say: (line) => void said.push(line),
    } as ConstructorParameters<typeof SyncLoop>[0]);
  beforeEach(() => ([rounds, said, change] = [[], [], undefined]));

  it('cancels what runs of the former files before it runs the new ones', async () => {
    const one = loop();
    const ended = one.run();
    change?.();
    await settled();
    expect([rounds.length, rounds[0]?.interrupts]).toEqual([2, 1]);
    expect(said).toEqual([expect.stringContaining('cancelled'), 'cancelled', '--- running again']);
    one.press();
    await expect(ended).rejects.toMatchObject({ exitCode: 130 });
    expect([rounds.length, rounds[1]?.interrupts]).toEqual([2, 1]);
  });

  it('leaves at a second interrupt, whatever still goes on', async () => {
    const one = loop();
    const ended = one.run();
    rounds[0] = { end: () => undefined, interrupts: 0 };
    one.press();
    one.press();
    await expect(ended).rejects.toMatchObject({ exitCode: 130 });
  });

  it('waits for a change once a run is over, whatever became of it', async () => {
    const one = loop();
    const ended = one.run();
    rounds[0]?.end(new Error('the script does not parse'));
    await settled();
    expect(said).toEqual(['the script does not parse', expect.stringContaining('waiting')]);
    change?.();
    await settled();
    expect([rounds.length, rounds[0]?.interrupts]).toEqual([2, 0]);
    rounds[1]?.end();
    await settled();
    one.press();
    await expect(ended).rejects.toMatchObject({ exitCode: 130 });
    expect(rounds[1]?.interrupts).toBe(0);
  });
});
