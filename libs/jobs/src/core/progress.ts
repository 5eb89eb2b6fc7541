import type { JobEvent } from '@das/contracts';
import type { EpochMs } from '@das/kernel';
import type { AssignerState, JobWork } from './assigner-state.js';
import { failedItems, slotsOf } from './assigner-state.js';

type ProgressEvent = Extract<JobEvent, { event: 'progress' }>;

/** Progress of every job that moved since it was last asked, for its followers. */
export function takeProgress(state: AssignerState, at: EpochMs): ProgressEvent[] {
  const events: ProgressEvent[] = [];
  const slots = slotsOf(state);
  for (const job of state.jobs.values()) {
    if (!job.progressed) continue;
    job.progressed = false;
    events.push(progressOf(job, slots, at));
  }
  return events;
}

function progressOf(job: JobWork, slots: number, at: EpochMs): ProgressEvent {
  const { record, counts } = job;
  const failed = failedItems(job);
  const left = record.items - counts.committed - failed;
  const known = job.msPerItem !== undefined && record.sealed && slots > 0;
  return {
    event: 'progress',
    job: record.spec.job,
    at,
    committed: counts.committed,
    failed,
    items: record.items,
    sealed: record.sealed,
    running: job.liveAttempts,
    ...(known ? { etaMs: Math.round((Math.max(0, left) * (job.msPerItem ?? 0)) / slots) } : {}),
  };
}
