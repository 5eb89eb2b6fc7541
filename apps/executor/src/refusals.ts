import { type AttemptFinished, type ErrorCode, type Failure, Fault, limits } from '@das/contracts';
import { NodeUnfitError } from '@das/execution';

/** Refusals that stay whoever asks, and however often. A job that is unknown or over is none: it has ended. */
const lasting: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  ...(['PAYLOAD_TOO_LARGE', 'REQUEST_INVALID', 'INTERNAL', 'NOT_FOUND'] as const),
  ...(['CODE_NOT_FOUND', 'CODE_CORRUPT', 'CODE_INVALID', 'CODE_REQUIREMENTS'] as const),
]);
const ended: ReadonlySet<ErrorCode> = new Set(['JOB_NOT_FOUND', 'JOB_ENDED']);

export const isLasting = (error: unknown): error is Fault => error instanceof Fault && lasting.has(error.code);
export const saysJobEnded = (error: unknown): boolean => error instanceof Fault && ended.has(error.code);

/** What a leader is told of a node that can run nothing of the job. */
export function unfitOf(error: unknown): Pick<AttemptFinished, 'unfit'> {
  if (!(error instanceof NodeUnfitError)) return {};
  const { failure: code, message, hint } = error;
  return { unfit: { code, message: message.slice(0, limits.messageChars), hint } };
}

/** Such a refusal as the failure of its part, and so of its job. */
export const refusedByStore = (part: string, { code, message, hint }: Fault): Failure => ({
  code,
  message: `part ${part}: ${message}`.slice(0, limits.messageChars),
  hint: hint ?? (code === 'PAYLOAD_TOO_LARGE' ? smaller : lookAtLogs),
});
const smaller = 'return less per item, or lower --items-per-part';
const lookAtLogs = 'look into the logs of the node and of its results-store, then run the job again';
