import { Fault, type ReplyOf, type inspectScript } from '@das/contracts';
import { NodeUnfitError, NotStartedError, WorkerGoneError } from '@das/execution';
import { messageOf } from '@das/kernel';

/**
 * What is answered of a script that no worker parsed; `venv`: whose interpreter was to. Our own interpreter can be trusted: it is the script that ended it.
 * @throws Fault that says whose doing it was, else the error itself.
 */
export function notInspected(error: unknown, venv: string | undefined): ReplyOf<typeof inspectScript> {
  if (error instanceof NodeUnfitError) throw refusedAtOnce(error);
  if (error instanceof NotStartedError) throw new Fault('SERVICE_UNAVAILABLE', error.message, { cause: error });
  if (!(error instanceof WorkerGoneError)) throw error;
  if (venv !== undefined) throw endedBy(venv, error);
  const message = 'the parser could not read this script (nested too deeply, or too large)';
  return { fault: { line: 1, column: 1, text: '', message } };
}

/** Another node may do, also for a language that this one lacks. */
const refusedAtOnce = ({ failure, message, hint }: NodeUnfitError): Fault =>
  failure === 'CODE_VENV'
    ? new Fault(failure, message, { field: 'venv', hint })
    : new Fault('SERVICE_UNAVAILABLE', message, { hint });

/** One that was killed was late, or the machine was short of memory. */
function endedBy(venv: string, error: WorkerGoneError): Fault {
  const message = `the Python of the virtual environment ${venv} ended before it had parsed the script: ${messageOf(error)}`;
  if (error.exit.signal === 'SIGKILL') return new Fault('SERVICE_UNAVAILABLE', message, { cause: error });
  const hint = 'see whether that Python parses the script on the node; one that is nested too deeply may end it, too';
  return new Fault('CODE_VENV', message, { field: 'venv', hint, cause: error });
}
