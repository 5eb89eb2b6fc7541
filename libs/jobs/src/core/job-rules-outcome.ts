import { type Decision, type Failure, type JobSpec, type JobState, type Outcome, limits } from '@das/contracts';
import type { JobId } from '@das/kernel';
import type { AdvanceDecision, AdvanceRequest, PartTally } from './job-rules-advance.js';
import { type JobFacts, type StoredPart, freshPart } from './job-rules.js';
import { parsePartId } from './part-id.js';

/** Which of the two hooks a script defines: what a job's rules keep of `functions`. */
export const hooksOf = ({ functions }: Pick<JobSpec, 'functions'>): Pick<JobFacts, 'onSuccess' | 'onFailure'> => ({
  onSuccess: functions.on_success ?? false,
  onFailure: functions.on_failure ?? false,
});

/** Whether the job has to be decided, and its hook run, before it may come to this end. */
export function needsHook({ onSuccess, onFailure }: JobFacts, to: JobState): to is Outcome {
  return (to === 'succeeded' && onSuccess) || (to === 'failed' && onFailure);
}

/** Derived, not drawn: there is one decision per job, and every run of its hook is to see the same string. */
export const decisionIdOf = (job: JobId, outcome: Outcome): string => `${job}-${outcome}`;

/** The hook as a part: made with the decision, in its transaction. */
export const hookPart = (): StoredPart => freshPart('hook', 0, 1, 0);

/** Decides the outcome, once: the job settles, what was open is over, and the hook is the only part that is left. */
export function decideOutcome({ job, failure }: AdvanceRequest, outcome: Outcome, now: number): AdvanceDecision {
  const why = outcome === 'failed' && failure !== undefined ? { failure } : {};
  const decision: Decision = { id: decisionIdOf(job, outcome), outcome, ...why, decidedAt: now };
  return { outcome: 'advanced', to: 'settling', parts: [hookPart()], decision };
}

/** Ends a settling job as decided, once its hook is over, or was given up by the leader: then `failure` names the hook's part. */
export function decideEnd(decision: Decision, { open, hook }: PartTally, request: AdvanceRequest): AdvanceDecision {
  if (request.to !== decision.outcome) return { outcome: 'decided', parts: [] };
  const givenUp = ofHook(request.failure) ? request.failure : undefined;
  if (open > 0 && givenUp === undefined) return { outcome: 'partsOpen', parts: [] };
  const { outcome: to, failure } = decision;
  return { outcome: 'advanced', to, parts: [], failure, hookFailure: hook ?? givenUp };
}

/** A request that decides is told from one that gives the hook up, also when it arrives twice: before the decision no hook has a part. */
const ofHook = (failure: Failure | undefined): boolean =>
  failure?.part !== undefined && parsePartId(failure.part)?.kind === 'hook';

/**
 * For how long no attempt of this part may start (ms). A hook runs under a lease: who loses it ends its worker before this is over, so that
 * two never run at a time. Other parts do not mind a second run.
 */
export function restOf({ kind, attempts }: StoredPart, now: number): number {
  if (kind !== 'hook') return 0;
  const ends = attempts.flatMap(({ state, endedAt }) => (state === 'ended' && endedAt !== undefined ? [endedAt] : []));
  return ends.length === 0 ? 0 : Math.max(0, Math.ceil(Math.max(...ends) + limits.hookRestMs - now));
}

/** Whether one more attempt may start: of a hook never a second one, nor one right after another was ended. */
export const mayStart = (part: StoredPart, now: number): boolean =>
  part.kind !== 'hook' || (restOf(part, now) === 0 && !part.attempts.some(({ state }) => state === 'live'));
