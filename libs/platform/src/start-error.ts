import { DasError } from '@das/kernel';

/** A service could not start, for a reason that its operator can remove. State: everything it had opened is closed. */
export class StartError extends DasError {
  readonly code = 'START_FAILED';
  readonly retryable = true;
}
