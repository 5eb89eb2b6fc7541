import type { Clock } from '@das/kernel';

/** A stream that gave nothing for so long may be that of a node that is frozen; events come, or keep-alives, every 15 s (ms). */
export const quietMs = 45_000;

/** Passes bytes on, and calls `quiet` each time that none came for {@link quietMs}; the time that the reader takes does not count. */
export async function* hearing(
  body: AsyncIterable<Uint8Array>,
  clock: Clock,
  quiet: () => void,
): AsyncGenerator<Uint8Array, void> {
  let stop: () => void = () => undefined;
  const listen = (): void => {
    stop = clock.timer(quietMs, () => {
      listen();
      quiet();
    });
  };
  try {
    listen();
    for await (const bytes of body) {
      stop();
      yield bytes;
      listen();
    }
  } finally {
    stop();
  }
}
