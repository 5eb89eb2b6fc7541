import { DasError } from '@das/kernel';
import type { Exit } from '../core/failures.js';

/** The worker process ended. State: what it had told is told; the rest is lost. Take another worker. */
export class WorkerGoneError extends DasError {
  readonly code = 'EXECUTION_WORKER_GONE';
  readonly retryable = true;
  constructor(readonly exit: Exit) {
    super(`the worker process ended (${exit.signal ?? `exit code ${exit.code ?? '?'}`})`);
  }
}

/** No interpreter can run scripts here. State: nothing was started. */
export class InterpreterMissingError extends DasError {
  readonly code = 'EXECUTION_NO_PYTHON';
  readonly retryable = false;
  constructor(tried: ReadonlyArray<{ readonly path: string; readonly why: string }>) {
    super(
      `no Python 3.9 or newer that runs here as the account of scripts: ${tried.map(({ path, why }) => `${path}: ${why}`).join('; ')}`,
      {
        hint: 'install python3 (apt-get install python3), or name an interpreter by DAS_PYTHON',
      },
    );
  }
}

/** A worker process could not be started. State: nothing was started. The machine is short of something; try later. */
export class NotStartedError extends DasError {
  readonly code = 'EXECUTION_NOT_STARTED';
  readonly retryable = true;
  constructor(why: string) {
    super(`a worker process could not be started: ${why}`);
  }
}
