/** What every failure of ours carries, so that people and programs can act on it. */
export abstract class DasError extends Error {
  /** Stable and searchable; listed in docs/errors.md. */
  abstract readonly code: string;
  /** May the same call succeed later, unchanged? */
  abstract readonly retryable: boolean;
  /** What to do next, in words. */
  readonly hint: string | undefined;
  constructor(message: string, options?: { cause?: unknown; hint?: string | undefined }) {
    super(message, options?.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.hint = options?.hint;
  }
}

/** A move that a machine's table does not have. State: unchanged. A defect of ours; do not retry. */
export class InvalidTransitionError extends DasError {
  readonly code = 'KERNEL_INVALID_TRANSITION';
  readonly retryable = false;
  constructor(
    readonly from: string,
    readonly to: string,
    readonly causedBy: string,
  ) {
    super(`no transition from ${from} to ${to} (caused by ${causedBy})`);
  }
}

/** The text of anything thrown, without its stack. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/** For the `default` of a `switch` over kinds: a new kind then fails to compile. */
export function assertNever(value: never, what = 'kind'): never {
  throw new TypeError(`unexpected ${what}: ${JSON.stringify(value)}`);
}
