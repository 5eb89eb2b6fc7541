import { DasError } from '@das/kernel';

/** Every code that can leave the cluster: its HTTP status and whether the same call may succeed later, unchanged. docs/errors.md lists them. */
export const errorCodes = {
  REQUEST_INVALID: { status: 400, retryable: false, title: 'The request is not valid' },
  SCRIPT_EMPTY: { status: 400, retryable: false, title: 'The script is empty' },
  SCRIPT_SYNTAX: { status: 400, retryable: false, title: 'The script does not parse' },
  SCRIPT_NO_FUNCTION: { status: 400, retryable: false, title: 'The script defines none of the known functions' },
  SCRIPT_LANGUAGE: { status: 400, retryable: false, title: 'The language is not known' },
  CODE_INVALID: { status: 400, retryable: false, title: 'The code bundle is not valid' },
  CODE_NOT_FOUND: { status: 404, retryable: false, title: 'The store does not have the code' },
  CODE_CORRUPT: { status: 500, retryable: false, title: 'The stored code is damaged' },
  CODE_REQUIREMENTS: { status: 400, retryable: false, title: 'The packages of the bundle cannot be had' },
  CODE_VENV: { status: 400, retryable: false, title: 'No node can use the virtual environment' },
  INPUT_MISSING: { status: 400, retryable: false, title: 'The job has no items' },
  INPUT_UNEXPECTED: { status: 400, retryable: false, title: 'The job takes no input' },
  INPUT_NOT_JSON: { status: 400, retryable: false, title: 'An item is not JSON' },
  INPUT_ITEM_TOO_LARGE: { status: 413, retryable: false, title: 'An item is too large' },
  UNAUTHORIZED: { status: 401, retryable: false, title: 'A token is required' },
  NOT_FOUND: { status: 404, retryable: false, title: 'There is no such thing' },
  JOB_NOT_FOUND: { status: 404, retryable: false, title: 'There is no such job' },
  NODE_NOT_FOUND: { status: 404, retryable: false, title: 'There is no such node' },
  JOB_ENDED: { status: 409, retryable: false, title: 'The job has ended' },
  JOB_DECIDED: { status: 409, retryable: false, title: "The job's outcome is decided" },
  JOB_UNFINISHED: { status: 409, retryable: true, title: 'The job has not ended' },
  LOCK_HELD: { status: 409, retryable: true, title: 'Somebody else holds the lock' },
  LOCK_LOST: { status: 409, retryable: false, title: 'The lock is not held any more' },
  IDEMPOTENCY_KEY_IN_USE: { status: 409, retryable: true, title: 'A submission with this key is still being uploaded' },
  IDEMPOTENCY_KEY_REUSED: { status: 422, retryable: false, title: 'The key stands for another submission' },
  GOSSIP_KEY_NOT_INSTALLED: { status: 409, retryable: false, title: 'A node does not have the key' },
  GOSSIP_KEY_IN_USE: { status: 409, retryable: false, title: 'The key still encrypts' },
  PAYLOAD_TOO_LARGE: { status: 413, retryable: false, title: 'The message is too large' },
  ELECTION_STALE_TERM: { status: 409, retryable: false, title: 'The term is over' },
  STORE_UNAVAILABLE: { status: 503, retryable: true, title: 'The database cannot be reached' },
  BUS_UNAVAILABLE: { status: 503, retryable: true, title: 'The message bus cannot be reached' },
  SERVICE_UNAVAILABLE: { status: 503, retryable: true, title: 'No service answered' },
  REQUEST_TIMEOUT: { status: 503, retryable: true, title: 'No answer in time' },
  INTERNAL: { status: 500, retryable: false, title: 'A defect in DAS Node' },
} as const;
export type ErrorCode = keyof typeof errorCodes;

export interface FaultDetails {
  readonly field?: string | undefined;
  readonly expected?: string | undefined;
  readonly line?: number | undefined;
  readonly text?: string | undefined;
}

/** A failure with a code of the catalogue, as it crosses the bus and leaves by REST. The state it leaves is the code's. */
export class Fault extends DasError {
  readonly retryable: boolean;
  constructor(
    readonly code: ErrorCode,
    message: string,
    readonly details: FaultDetails & { hint?: string | undefined; cause?: unknown } = {},
  ) {
    super(message, { hint: details.hint, cause: details.cause });
    this.retryable = errorCodes[code].retryable;
  }
  get status(): number {
    return errorCodes[this.code].status;
  }
}

export const isErrorCode = (code: string): code is ErrorCode => Object.hasOwn(errorCodes, code);
