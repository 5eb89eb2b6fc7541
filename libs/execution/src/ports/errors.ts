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
  constructor(
    readonly why: string,
    options?: ErrorOptions,
  ) {
    super(`a worker process could not be started: ${why}`, options);
  }
}

/** This node cannot run the job, however often it tries, until somebody changes the node. State: nothing was started. Another node may run it. */
export class NodeUnfitError extends DasError {
  readonly code = 'EXECUTION_NODE_UNFIT';
  readonly retryable = false;
  constructor(
    /** What its job fails with, should no node be able to run it. */
    readonly failure: 'CODE_VENV' | 'LANGUAGE_MISSING',
    message: string,
    hint: string,
  ) {
    super(message, { hint });
  }
}

/** Nothing keeps scripts in here, and nobody said that they may run all the same. State: nothing was started, and nothing runs. */
export class NoSandboxError extends DasError {
  readonly code = 'EXECUTION_NO_SANDBOX';
  readonly retryable = false;
  constructor(choice: string, refused: readonly string[], advice = 'install bubblewrap (apt-get install bubblewrap)') {
    super(`no sandbox for scripts (DAS_SANDBOX=${choice}): ${refused.join('; ')}`, {
      hint: `${advice}; docs/security.md says more; or set DAS_SANDBOX=none to run scripts with no sandbox at all`,
    });
  }
}
