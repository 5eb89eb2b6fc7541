import type { Failure, JobState, NewPart, Outcome, PartKind } from '@das/contracts';
import { assertNever } from '@das/kernel';
import { type JobWork, failedItems } from './assigner-state.js';
import { partIdOf } from './part-id.js';

/** What a job needs before more maps are assigned: nothing, a step's part saved, or to be moved on under its lock. */
export type NextStep =
  | { readonly kind: 'none' }
  | { readonly kind: 'save'; readonly part: NewPart }
  | {
      readonly kind: 'advance';
      readonly to: JobState;
      readonly parts: readonly NewPart[];
      readonly failure?: Failure | undefined;
    };

const none: NextStep = { kind: 'none' };

/** Decides how a job goes on. Repeating the decision is harmless: parts are named by what they are, and the store checks every advance. */
export function nextStep(job: JobWork): NextStep {
  if (job.record.decision !== undefined) return afterHook(job, job.record.decision.outcome);
  const failure = failureOf(job);
  if (failure !== undefined) return { kind: 'advance', to: 'failed', parts: [], failure };
  switch (job.record.state) {
    case 'splitting':
      return ensure(job, 'split');
    case 'running':
      return job.record.spec.input.kind === 'none' ? afterMain(job) : afterMaps(job);
    case 'gathering':
      return afterSteps(job);
    // A settling job has its decision.
    case 'settling':
    case 'submitted':
    case 'succeeded':
    case 'failed':
    case 'cancelled':
      return none;
    default:
      return assertNever(job.record.state);
  }
}

function afterMain(job: JobWork): NextStep {
  if (!job.ensured.has('main')) return ensure(job, 'main');
  return job.parts.size === 0 ? succeed : none;
}

function afterMaps(job: JobWork): NextStep {
  const { sealed, cut, items, spec } = job.record;
  if (!sealed || cut < items || job.parts.size > 0) return none;
  if (spec.functions.reduce) {
    const parts = Array.from({ length: spec.limits.buckets }, (_, bucket) => newStep(job, 'reduce', bucket));
    return { kind: 'advance', to: 'gathering', parts };
  }
  return spec.functions.gather ? { kind: 'advance', to: 'gathering', parts: [newStep(job, 'gather', 0)] } : succeed;
}

/** Reduce parts are made with the state itself, so none open means all done; `gather` follows them (a built-in one merges the buckets). */
function afterSteps(job: JobWork): NextStep {
  if (job.parts.size > 0) return none;
  return job.ensured.has('gather') ? succeed : ensure(job, 'gather');
}

const succeed: NextStep = { kind: 'advance', to: 'succeeded', parts: [] };

/** What was decided stays; the hook's failure is the hook's own. No node can run it: it is given up, by the name of its part. */
function afterHook(job: JobWork, to: Outcome): NextStep {
  if (job.hookFailure !== undefined) return { kind: 'advance', to, parts: [], failure: job.hookFailure };
  return job.parts.size === 0 ? { kind: 'advance', to, parts: [] } : none;
}

/** The part of a decided job's hook, as the store made it. */
export const hookOf = (job: JobWork): NewPart => newStep(job, 'hook', 0);

/** Saves the step's part unless this leader did. Where it exists in the store it is named as stale, and the job is read again. */
function ensure(job: JobWork, kind: PartKind): NextStep {
  if (job.ensured.has(kind)) return none;
  return { kind: 'save', part: newStep(job, kind, 0) };
}

function newStep(job: JobWork, kind: PartKind, from: number): NewPart {
  const { spec, generation } = job.record;
  return { job: spec.job, generation, part: partIdOf(kind, from, from + 1, 0), kind, from, to: from + 1, tries: 0 };
}

/** Why the job must fail now: a step or a whole part failed, or more items than it tolerates. */
function failureOf(job: JobWork): Failure | undefined {
  if (job.fatal !== undefined) return job.fatal;
  const failed = failedItems(job);
  const allowed = allowedFailures(job);
  if (failed === 0 || failed <= allowed) return undefined;
  const first = job.firstFailure ?? { code: 'ITEM_FAILED', message: `${failed} items failed` };
  return failed === 1
    ? first
    : {
        ...first,
        hint: `${failed} items failed${allowed === 0 ? '' : ` and ${allowed} were tolerated`}; this is the first. ${first.hint ?? ''}`
          .trim()
          .slice(0, hintChars),
      };
}

/** Of a hint, as contracts bound it. */
const hintChars = 1_000;

/** A share is judged once the number of items is final. */
function allowedFailures(job: JobWork): number {
  const { tolerate } = job.record.spec.limits;
  if ('items' in tolerate) return tolerate.items;
  return job.record.sealed ? Math.floor(tolerate.share * job.record.items) : Number.POSITIVE_INFINITY;
}
