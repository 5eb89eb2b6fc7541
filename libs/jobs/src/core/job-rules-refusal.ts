import { DasError } from '@das/kernel';

/** A request that breaks a rule of the store. State: nothing was written. A defect of the sender: the same request is refused again. */
export class InvalidRequestError extends DasError {
  readonly code = 'REQUEST_INVALID';
  readonly retryable = false;
  constructor(
    readonly field: string,
    readonly expected: string,
  ) {
    super(`${field}: expected ${expected}`);
  }
}

export const invalid = (field: string, expected: string): InvalidRequestError =>
  new InvalidRequestError(field, expected);
