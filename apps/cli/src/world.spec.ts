import { processWorld } from './world.js';

it('is interrupted by Ctrl-C, an end, and the loss of the terminal, until it is not told any more', () => {
  let told = 0;
  const deaf = processWorld({}).onInterrupt(() => told++);
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals) process.emit(signal);
  expect(told).toBe(3);
  const before = signals.map((signal) => process.listenerCount(signal));
  deaf();
  expect(signals.map((signal) => process.listenerCount(signal))).toEqual(before.map((count) => count - 1));
});
