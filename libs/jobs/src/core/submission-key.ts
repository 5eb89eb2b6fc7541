import { type JobState, type ReplyOf, type createJob, limits } from '@das/contracts';
import type { JobId } from '@das/kernel';

/** What is stored of a key, with the state of its job; `undefined`: the job is gone. */
export interface HeldKey {
  readonly job: JobId;
  readonly state: JobState | undefined;
  /** Of the whole body; absent until its upload is sealed. */
  readonly digest: string | undefined;
  /** Database clock (ms). */
  readonly createdAt: number;
}

/** Who asks, and with which body, as far as it is known. */
export interface KeyAsk {
  readonly job: JobId;
  readonly digest?: string | undefined;
}

type Verdict = NonNullable<ReplyOf<typeof createJob>['key']>['verdict'];

/**
 * Whose a key is. `free`: nobody's (any more), so the asker's · `own`: the asker's since an earlier try whose answer was lost; else
 * another job's. A job that was ended while its input was still coming holds nothing: nobody knows what it would have been.
 */
export function judgeKey(held: HeldKey | undefined, ask: KeyAsk, now: number): 'free' | 'own' | Verdict {
  if (held?.state === undefined) return 'free';
  if (held.job === ask.job) return 'own';
  if (now - held.createdAt >= limits.keyKeptMs) return 'free';
  if (held.digest === undefined) return held.state === 'submitted' ? 'uploading' : 'free';
  if (ask.digest === undefined) return 'unknown';
  return held.digest === ask.digest ? 'same' : 'different';
}
