import type { Duplex } from 'node:stream';

/** Resolves when a channel takes more, or never will. */
export function drained(channel: Duplex): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      channel.off('drain', done).off('close', done);
      resolve();
    };
    channel.on('drain', done).on('close', done);
    if (channel.destroyed) done();
  });
}
