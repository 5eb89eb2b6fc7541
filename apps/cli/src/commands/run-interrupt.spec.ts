import { FakeClock } from '@das/testing';
import { ExitError } from '../errors.js';
import { RunInterrupt } from './run-interrupt.js';

describe('an interrupt of a run', () => {
  const setUp = () => {
    const clock = new FakeClock();
    const said: string[] = [];
    const deletions: ((outcome: 'done' | Error) => void)[] = [];
    const remove = () =>
      new Promise<never>((resolve, reject) =>
        deletions.push((outcome) => (outcome === 'done' ? resolve(undefined as never) : reject(outcome))),
      );
    const interrupt = new RunInterrupt({ client: { delete: remove }, clock, err: (line) => said.push(line) });
    const never = interrupt.during(new Promise<never>(() => undefined));
    never.catch(() => undefined);
    return { clock, said, deletions, interrupt, never };
  };

  it('breaks off what is not sent whole', async () => {
    const { said, interrupt, never } = setUp();
    interrupt.press();
    await expect(never).rejects.toThrow(new ExitError(130));
    expect(said).toEqual(['cancelled before the job was submitted']);
  });

  it('cancels the job as soon as its id is known', () => {
    const { deletions, interrupt } = setUp();
    interrupt.sent();
    interrupt.press();
    expect([interrupt.signal.aborted, deletions.length]).toEqual([false, 0]);
    interrupt.taken('j-1');
    expect([interrupt.cancelled, deletions.length]).toEqual([true, 1]);
  });

  it('says that the job may run when no answer comes', async () => {
    const { clock, said, interrupt, never } = setUp();
    interrupt.sent();
    interrupt.press();
    clock.advance(10_000);
    await expect(never).rejects.toThrow(new ExitError(130));
    expect(said.at(-1)).toBe('no answer to the submission: the job may run; `das jobs` shows it');
  });

  it('waits no more for an answer that came', async () => {
    const { clock, interrupt } = setUp();
    interrupt.sent();
    interrupt.press();
    interrupt.taken('j-1');
    clock.advance(60_000);
    expect(interrupt.signal.aborted).toBe(false);
  });

  it('leaves at the second press, and tells how to see what became of the job', async () => {
    const { said, interrupt, never } = setUp();
    interrupt.taken('j-1');
    interrupt.press();
    interrupt.press();
    await expect(never).rejects.toThrow(new ExitError(130));
    expect(said.at(-1)).toBe('left; `das job j-1` tells what became of the job');
  });

  it('tells why a cancellation failed, tries again, and leaves after three of them', async () => {
    const { said, deletions, interrupt } = setUp();
    interrupt.taken('j-1');
    for (const next of ['tries again', 'tries again', 'leaves']) {
      interrupt.press();
      deletions.shift()?.(new Error('the store is away'));
      await new Promise(setImmediate);
      expect(said.at(-1)).toBe(`job j-1 could not be cancelled: the store is away (Ctrl-C ${next})`);
    }
    expect([interrupt.cancelled, interrupt.signal.aborted]).toEqual([false, false]);
    interrupt.press();
    expect(interrupt.signal.aborted).toBe(true);
  });
});
