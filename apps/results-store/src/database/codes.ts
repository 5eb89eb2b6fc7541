import type { OutputKind, PartKind } from '@das/contracts';
import type { StoredAttempt, StoredPart } from '@das/jobs';
import type { NodeId } from '@das/kernel';

/** Words of the contracts as small numbers: millions of rows carry them. Only append; stored rows keep their numbers. */
export const partKinds: readonly PartKind[] = ['split', 'map', 'reduce', 'gather', 'main', 'hook'];
export const outputKinds: readonly OutputKind[] = ['map', 'shuffle', 'reduce', 'gather', 'main'];
export const settledStates: readonly StoredPart['state'][] = ['committed', 'failed', 'cancelled', 'replaced'];

export const partKindCode = (kind: PartKind): number => partKinds.indexOf(kind);
export const outputKindCode = (kind: OutputKind): number => outputKinds.indexOf(kind);
export const settledCode = (state: StoredPart['state']): number => settledStates.indexOf(state);

/** The word of a stored number. @throws RangeError when a newer version wrote it. */
export function wordOf<T>(words: readonly T[], code: number): T {
  const word = words[code];
  if (word === undefined) throw new RangeError(`no word for the stored code ${code}`);
  return word;
}

/** `[attempt, node, term, startedAt]` while live; its duration (ms) follows when committed, and why when ended. */
type AttemptTuple = [number, string, number, number, number?, string?];

/** Attempts live in their part's row: one row to lock and one to write per commit, and half the stored bytes of a table of their own. */
export function attemptsText(attempts: readonly StoredAttempt[]): string {
  return JSON.stringify(attempts.map(tupleOf));
}

function tupleOf({ attempt, node, term, startedAt, state, endedAt = startedAt, why }: StoredAttempt): AttemptTuple {
  const live: AttemptTuple = [attempt, node, term, startedAt];
  if (state === 'live') return live;
  const ran = endedAt - startedAt;
  return state === 'committed'
    ? [attempt, node, term, startedAt, ran]
    : [attempt, node, term, startedAt, ran, why ?? ''];
}

/** Reads {@link attemptsText} back. */
export function attemptsOf(text: string): StoredAttempt[] {
  return (JSON.parse(text) as AttemptTuple[]).map(([attempt, node, term, startedAt, ran, why]) => {
    const known = { attempt, node: node as NodeId, term, startedAt };
    if (ran === undefined) return { ...known, state: 'live' };
    const endedAt = startedAt + ran;
    return why === undefined ? { ...known, state: 'committed', endedAt } : { ...known, state: 'ended', endedAt, why };
  });
}
