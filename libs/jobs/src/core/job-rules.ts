import type { Decision, Failure, JobState, NewPart, OpenPart, PartKind, PartState, PartView } from '@das/contracts';
import type { NodeId, PartId } from '@das/kernel';
import { partIdOf } from './part-id.js';

/** One run of a part on a node, as the store keeps it. Times are the store's clock (ms). */
export interface StoredAttempt {
  readonly attempt: number;
  readonly node: NodeId;
  readonly term: number;
  readonly state: 'live' | 'committed' | 'ended';
  readonly why?: string | undefined;
  readonly startedAt: number;
  readonly endedAt?: number | undefined;
}

/** A part as the store keeps it. `replaced`: a splitting commit put smaller parts in its place; kept only to know its attempts again. */
export interface StoredPart {
  readonly part: PartId;
  readonly kind: PartKind;
  readonly from: number;
  readonly to: number;
  readonly tries: number;
  readonly avoid?: NodeId | undefined;
  readonly state: PartState | 'replaced';
  readonly attempts: readonly StoredAttempt[];
  readonly busyMs?: number | undefined;
  readonly failure?: Failure | undefined;
  /** The part failed as a whole, not only its item: the job cannot go on. */
  readonly fatal?: boolean | undefined;
}

/** What the rules need to know of a job. */
export interface JobFacts {
  readonly state: JobState;
  readonly generation: number;
  readonly sealed: boolean;
  readonly items: number;
  readonly cut: number;
  readonly retries: number;
  /** Results are keys (the script reduces): a failed item leaves no line in the output. */
  readonly reduces: boolean;
  /** The script defines `on_success`, `on_failure`. */
  readonly onSuccess: boolean;
  readonly onFailure: boolean;
  /** How the job ends; only jobs with a hook for that have one. Never changed. */
  readonly decision?: Decision | null | undefined;
}

/** Ended attempts beyond this are forgotten, oldest first: a part that keeps losing its nodes must not grow without end. */
export const attemptsKeptMax = 32;

export const jobEnded = (state: JobState): boolean =>
  state === 'succeeded' || state === 'failed' || state === 'cancelled';

export const partOpen = (part: Pick<StoredPart, 'state'>): boolean =>
  part.state === 'pending' || part.state === 'assigned';

export const lastAttemptOf = (part: StoredPart): number =>
  part.attempts.reduce((highest, { attempt }) => Math.max(highest, attempt), 0);

/** A pending part nobody has tried yet. */
export function freshPart(kind: PartKind, from: number, to: number, tries: number, avoid?: NodeId): StoredPart {
  return { part: partIdOf(kind, from, to, tries), kind, from, to, tries, avoid, state: 'pending', attempts: [] };
}

export const freshPartOf = (part: NewPart): StoredPart => freshPart(part.kind, part.from, part.to, part.tries);

/** With its live attempts, the state that they say. */
export function withAttempts(part: StoredPart, attempts: readonly StoredAttempt[]): StoredPart {
  const live = attempts.some(({ state }) => state === 'live');
  const surplus = Math.max(0, attempts.length - attemptsKeptMax);
  let dropped = 0;
  const kept = attempts.filter((a) => a.state !== 'ended' || dropped++ >= surplus);
  return { ...part, attempts: kept, state: live ? 'assigned' : 'pending' };
}

/** The leader's view of an open part. `restMs`: how long it may not be given to a node yet. */
export function openPartOf(part: StoredPart, restMs = 0): OpenPart {
  const live = part.attempts.filter(({ state }) => state === 'live').map(({ attempt, node }) => ({ attempt, node }));
  const { kind, from, to, tries, avoid } = part;
  const state = live.length > 0 ? ('assigned' as const) : ('pending' as const);
  const rest = restMs > 0 ? { restMs } : {};
  return { part: part.part, kind, from, to, tries, avoid, state, lastAttempt: lastAttemptOf(part), live, ...rest };
}

/** The users' view of a part. An attempt that was live when its job ended is shown as ended. */
export function partViewOf(part: StoredPart & { readonly state: PartState }): PartView {
  const { kind, from, to, tries, state, busyMs, failure } = part;
  const attempts = part.attempts.map((a) =>
    a.state === 'live' && !partOpen(part) ? { ...a, state: 'ended' as const, why: 'the job ended' } : { ...a },
  );
  return { part: part.part, kind, from, to, tries, state, busyMs, failure, attempts };
}
