import {
  type Decision,
  type Failure,
  type JobCounts,
  type JobRecord,
  type JobState,
  type JobView,
  type Outcome,
  jobTransitions,
} from '@das/contracts';
import { isTerminal, isoOf } from '@das/kernel';

/** Whether nothing more will happen to a job. */
export const hasEnded = (state: JobState): boolean => isTerminal(jobTransitions, state);

/** A job as users see it. Without counts a succeeded job counts all its items as committed. */
export function jobView(record: JobRecord, counts: JobCounts | undefined): JobView {
  const { spec } = record;
  const finished = record.finishedAt === undefined ? {} : finishedAt(record.createdAt, record.finishedAt);
  return {
    id: spec.job,
    name: spec.name,
    state: record.state,
    generation: record.generation,
    contact: spec.contact,
    code: { digest: spec.code, entry: spec.filename, ...(spec.bundle && { bundle: spec.bundle }) },
    ...(spec.venv === undefined ? {} : { venv: spec.venv }),
    functions: spec.functions,
    items: {
      total: record.items,
      final: record.sealed,
      committed: counts?.committed ?? (record.state === 'succeeded' ? record.items : 0),
      failed: counts?.failed ?? 0,
    },
    openParts: counts?.open ?? 0,
    createdAt: isoOf(record.createdAt),
    ...finished,
    ...(spec.limits.resources === undefined ? {} : { limits: spec.limits.resources }),
    ...(record.sandboxes === undefined ? {} : { sandboxes: record.sandboxes }),
    ...(record.failure === undefined ? {} : { failure: record.failure }),
    ...(record.decision === undefined ? {} : { decision: decisionView(record.decision) }),
    ...(record.hookFailure === undefined ? {} : { hookFailure: record.hookFailure }),
  };
}

/** Without the failure: a job has failed only once it has ended. */
const decisionView = ({ id, outcome, decidedAt }: Decision): NonNullable<JobView['decision']> => ({
  id,
  outcome,
  decidedAt: isoOf(decidedAt),
});

/** The hook that a decision runs, by its name in the script. */
export const hookName = (outcome: Outcome | undefined): string => (outcome === 'failed' ? 'on_failure' : 'on_success');

function finishedAt(createdAt: number, at: number): Pick<JobView, 'finishedAt' | 'wallMs'> {
  return { finishedAt: isoOf(at), wallMs: Math.max(0, at - createdAt) };
}

/** Why a job that ended has no result. */
export function failureOf(record: JobRecord): Failure {
  if (record.failure !== undefined) return record.failure;
  if (record.state === 'cancelled') return { code: 'JOB_CANCELLED', message: 'the job was cancelled' };
  return { code: 'INTERNAL', message: `the job is ${record.state}` };
}
