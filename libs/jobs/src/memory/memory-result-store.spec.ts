import { type Clock, durationMs, epochMs } from '@das/kernel';
import { resultStoreContract } from '../ports/result-store.contract.js';
import { MemoryResultStore } from './memory-result-store.js';

/** Every look at the clock is a millisecond later, so that "created later" shows. */
function steppingClock(): Clock {
  let ms = 1_700_000_000_000;
  const cancel = () => () => undefined;
  return { now: () => epochMs(ms++), monotonic: () => durationMs(ms++), timer: cancel, every: cancel };
}

resultStoreContract('memory', async () => {
  const store = new MemoryResultStore(steppingClock());
  return { store, other: store.twin(), close: () => store.close() };
});
