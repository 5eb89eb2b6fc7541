/**
 * The work's outcome, or the fault as soon as the signal is aborted; the work is left to whoever ends what it works on, and its own outcome is dropped
 * then. Nothing stays on the signal afterwards, however many works one signal sees.
 */
export async function unlessAborted<T>(
  signal: AbortSignal | undefined,
  work: Promise<T>,
  fault: () => Error,
): Promise<T> {
  if (signal === undefined) return work;
  work.catch(() => undefined);
  let stop = (): void => undefined;
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(fault());
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });
  try {
    return await Promise.race([aborted, work]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
