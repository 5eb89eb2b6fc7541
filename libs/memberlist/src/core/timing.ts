/** Above this many members a push/pull becomes rarer: it is the one message whose size grows with the cluster. */
const pushPullThreshold = 32;

/** How often a broadcast is sent: `mult` · ⌈log10(n + 1)⌉ (SWIM §4.1: λ log n times). */
export function retransmitLimit(mult: number, n: number): number {
  return mult * Math.ceil(Math.log10(n + 1));
}

/** Shortest suspicion, ms: `mult` · max(1, log10 n) · interval. The original cuts the product's scale to three decimals. */
export function suspicionTimeout(mult: number, n: number, intervalMs: number): number {
  const scale = Math.max(1, Math.log10(Math.max(1, n)));
  return (mult * Math.trunc(scale * 1000) * intervalMs) / 1000;
}

/**
 * What is left of a suspicion, ms: from max down to min with the logarithm of the confirmations (Lifeguard §IV-B, LHA-Suspicion).
 * Negative when the time is over already.
 */
export function remainingSuspicion(n: number, k: number, elapsedMs: number, minMs: number, maxMs: number): number {
  const fraction = Math.log(n + 1) / Math.log(k + 1);
  const timeout = Math.floor(maxMs - fraction * (maxMs - minMs));
  return Math.max(timeout, minMs) - elapsedMs;
}

/** Time between two push/pulls, ms: one interval up to 32 members, one more for every doubling. */
export function pushPullScale(intervalMs: number, n: number): number {
  if (n <= pushPullThreshold) return intervalMs;
  return (Math.ceil(Math.log2(n) - Math.log2(pushPullThreshold)) + 1) * intervalMs;
}
