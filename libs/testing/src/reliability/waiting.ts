/** Resolves after that time (ms). */
export const pause = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));

/** What `work` resolves with, or `undefined` when it takes longer (ms). */
export async function within<T>(work: Promise<T>, ms: number): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((done) => (timer = setTimeout(() => done(undefined), ms)));
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Looks until `look` answers or the time is over; a rejection counts as "not yet". */
export async function awaited<T>(
  look: () => Promise<T | undefined>,
  withinMs: number,
  everyMs: number,
): Promise<T | undefined> {
  for (const deadline = Date.now() + withinMs; ;) {
    const answer = await look().catch(() => undefined);
    if (answer !== undefined || Date.now() > deadline) return answer;
    await pause(everyMs);
  }
}
