import { type Failure, Fault, type Problem } from '@das/contracts';
import { problemOf as busProblemOf } from '@das/messaging';

/** A job that ended without a result, where a result was asked for. */
export class NoResultFault extends Fault {
  constructor(
    job: string,
    readonly failure: Failure,
    state: string,
  ) {
    super('JOB_ENDED', `job ${job} ${state === 'cancelled' ? 'was cancelled' : `failed: ${failure.message}`}`, {
      hint: failure.hint ?? `das job ${job} tells more`,
    });
  }
}

/** RFC 9457 document of a fault, as the bus tells it. `failure` is ours. */
export function problemOf(fault: Fault): Problem & { failure?: Failure } {
  const problem = busProblemOf(fault);
  return fault instanceof NoResultFault ? { ...problem, failure: fault.failure } : problem;
}

/** What a user sees of a defect of ours: an id to find it in the log by, never its text or stack. */
export function internalProblem(id: string): Problem {
  return problemOf(new Fault('INTERNAL', `something went wrong on this node; its log has it under ${id}`));
}
