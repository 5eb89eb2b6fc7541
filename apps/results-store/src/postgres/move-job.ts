import type { Failure, JobState } from '@das/contracts';
import { type AdvanceDecision, type PartTally, jobEnded } from '@das/jobs';
import { partKindCode, settledCode } from '../database/codes.js';
import type { Lastly, Query } from '../database/database.js';
import { type FactsRow, failedItems, nowMs, stateEvent, outboxOf } from './job-rows.js';

const hookCode = partKindCode('hook');

/** With whether a `gather` step follows the job's maps. */
interface Tally extends PartTally {
  readonly gathers: boolean;
}

/** Open parts are not counted, and failed items only among the few parts that are not committed: no scan grows with the job. */
export async function tallyOf(query: Query, { no, generation, state }: FactsRow): Promise<Tally> {
  const [tally] = await query<Tally>(
    `select exists (select from open_parts where job_no = $1 and generation = $2)::int as open,
       exists (select from parts where job_no = $1 and generation = $2 and fatal) as fatal,
       (select ${failedItems} from parts where job_no = $1 and generation = $2 and state <> 0) as failed,
       coalesce((select (spec::json #>> '{functions,gather}')::boolean from jobs where no = $1), false) as gathers`,
    [no, generation],
    'tally',
  );
  const hook = state === 'settling' ? await hookFailureOf(query, no, generation) : undefined;
  return { ...(tally ?? { open: 0, failed: 0, fatal: false, gathers: false }), hook };
}

async function hookFailureOf(query: Query, jobNo: number, generation: number): Promise<Failure | undefined> {
  const [failed] = await query<{ failure: string }>(
    `select failure from parts where job_no = $1 and generation = $2 and fatal and kind = ${hookCode}`,
    [jobNo, generation],
  );
  return failed && (JSON.parse(failed.failure) as Failure);
}

type Move = Pick<AdvanceDecision, 'failure' | 'decision' | 'hookFailure'>;

/** Moves a job whose row the caller holds; once it is decided, what is open ends with it. A decision is written once and stays. */
export function moveJob(lastly: Lastly, job: FactsRow, to: JobState, move: Move = {}): void {
  const { failure, decision, hookFailure } = move;
  if (jobEnded(to) || to === 'settling') endOpenParts(lastly, job);
  lastly(
    `update jobs set state = $2, failure = $3, decision = coalesce(decision, $4), hook_failure = $5,
     finished_at = ${jobEnded(to) ? nowMs : 'null'} where no = $1`,
    [job.no, to, jsonOf(failure), jsonOf(decision), jsonOf(hookFailure)],
    `move-job-${jobEnded(to)}`,
  );
  const told = { ...(failure && { failure }), ...(hookFailure && { hookFailure }) };
  const outcome = decision ? { outcome: decision.outcome } : {};
  lastly(...outboxOf([stateEvent(job.id, job.now, to, job.generation, { ...told, ...outcome })]));
}

const jsonOf = (value: object | undefined): string | null => (value ? JSON.stringify(value) : null);

function endOpenParts(lastly: Lastly, job: FactsRow): void {
  lastly(
    `with gone as (delete from open_parts where job_no = $1 returning *),
     dropped as (delete from staged_outputs where job_no = $1)
     insert into parts (job_no, generation, kind, from_item, to_item, tries, attempts, state, busy_ms, fatal, failure)
     select job_no, generation, kind, from_item, to_item, tries, attempts, ${settledCode('cancelled')}, 0, false, '' from gone`,
    [job.no],
    'end-open-parts',
  );
}
