/**
 * Resolves once everything that was readable when it was called has been read. Immediates run when all that one look at the descriptors found is
 * dealt with. What was written since that look is found by the next one: hence two.
 */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(() => setImmediate(resolve));
  });
}
