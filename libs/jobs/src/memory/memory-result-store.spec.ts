import { type Clock, durationMs, epochMs } from '@das/kernel';
import { resultStoreContract } from '../ports/result-store.contract.js';
import { MemoryResultStore } from './memory-result-store.js';

/** Every look at the clock is a millisecond later, so that "created later" shows. */
function steppingClock(): Clock & { pass(ms: number): void } {
  let now = 1_700_000_000_000;
  const cancel = () => () => undefined;
  const pass = (ms: number) => void (now += ms);
  return { now: () => epochMs(now++), monotonic: () => durationMs(now++), timer: cancel, every: cancel, pass };
}

resultStoreContract('memory', async () => {
  const clock = steppingClock();
  const store = new MemoryResultStore(clock);
  const locks = {
    pass: async (ms: number) => clock.pass(ms),
    forget: async () => {
      clock.pass(1);
      store.forgetLocks(0);
    },
  };
  return { store, other: store.twin(), locks, close: () => store.close() };
});
