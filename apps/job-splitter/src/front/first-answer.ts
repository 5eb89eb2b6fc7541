/** Those that were asked, in their order, each with why it gave no answer. */
export type Refusals<Asked> = ReadonlyArray<readonly [Asked, unknown]>;

/** The first answer of those that are asked in their order, so many at a time; nobody else is asked once there is one. */
export async function firstAnswer<Asked, Answer>(
  all: readonly Asked[],
  atOnce: number,
  ask: (one: Asked) => Promise<Answer>,
): Promise<{ readonly answer: Answer } | { readonly refusals: Refusals<Asked> }> {
  const refusals = new Map<Asked, unknown>();
  const left = all.values();
  let over = false;
  const askOn = async (): Promise<{ readonly answer: Answer }> => {
    for (const one of left) {
      if (over) break;
      try {
        const answer = await ask(one);
        over = true;
        return { answer };
      } catch (error) {
        refusals.set(one, error);
      }
    }
    throw new Error('none is left to be asked');
  };
  return Promise.any(Array.from({ length: atOnce }, askOn)).catch(() => ({
    refusals: all.map((one) => [one, refusals.get(one)] as const),
  }));
}
