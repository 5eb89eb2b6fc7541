/** How a call that got no answer goes on: pause and try again, or give up with the fault of the last try. */
export type NextTry = { readonly again: true; readonly pauseMs: number } | { readonly again: false };

/** First pause between two tries of a call; it doubles each time. */
export const pauseFirstMs = 20;
export const pauseMaxMs = 500;

/** Codes that say "no answer", as opposed to "the answer is no". */
const lost: ReadonlySet<string> = new Set(['REQUEST_TIMEOUT', 'SERVICE_UNAVAILABLE', 'BUS_UNAVAILABLE']);

/** `tries`: how many were made; `leftMs`: time until the caller's deadline. */
export function nextTry(code: string, tries: number, leftMs: number): NextTry {
  const pauseMs = Math.min(pauseFirstMs * 2 ** (tries - 1), pauseMaxMs);
  return lost.has(code) && pauseMs < leftMs ? { again: true, pauseMs } : { again: false };
}
