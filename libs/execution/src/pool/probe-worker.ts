import { NotStartedError, WorkerGoneError } from '../ports/errors.js';
import { withLastWords } from './last-words.js';
import { type StartOptions, startWorker } from './worker-start.js';

/** A first worker that has not answered by then never will (ms). */
export const probeMs = 30_000;

/** It stood still. */
class LateError extends Error {
  constructor() {
    super(`it did not answer within ${probeMs} ms`);
  }
}

/** Our own code ends with it where it could not become the interpreter, or lost its executor. */
const notBegun = 70;
/** Of a file that no system call will ever run; as Python words it: no such file, no program, no right to, no folder, links in a ring. */
const neverRun = [2, 8, 13, 20, 40].map((errno) => `[Errno ${errno}]`);
/** A machine that is short of something, or a file system that does not answer. */
const mayPass = [
  'MemoryError',
  'Cannot allocate memory',
  'Too many open files',
  'Resource temporarily unavailable',
  'Input/output error',
  'Stale file handle',
];

/** Whether a worker that was probed failed without anybody's doing: another would, too. One that is late, or was killed, says nothing of the next. */
export function failsAgain(error: unknown): error is NotStartedError {
  if (!(error instanceof NotStartedError && error.cause instanceof WorkerGoneError)) return false;
  const { code } = error.cause.exit;
  const says = (words: readonly string[]): boolean => words.some((each) => error.why.includes(each));
  return code !== null && !says(mayPass) && (code !== notBegun || says(neverRun));
}

/** Makes one worker, has it answer, and ends it. `signal`: gives up. @throws NotStartedError with its own last words; nothing of it is left. */
export async function probeWorker(options: StartOptions, signal?: AbortSignal): Promise<void> {
  const worker = await startWorker(options);
  let giveUp: ((error: Error) => void) | undefined;
  const late = new Promise<never>((_resolve, reject) => (giveUp = reject));
  const stop = options.clock.timer(probeMs, () => giveUp?.(new LateError()));
  const abort = (): void => giveUp?.(signal?.reason as Error);
  if (signal?.aborted === true) abort();
  else signal?.addEventListener('abort', abort);
  try {
    await withLastWords(worker, () => Promise.race([answered(worker), late]));
  } finally {
    stop();
    signal?.removeEventListener('abort', abort);
    worker.kill();
    await worker.gone;
  }
}

async function answered({ runtime }: Awaited<ReturnType<typeof startWorker>>): Promise<void> {
  await runtime.ready;
  await runtime.inspect({ language: 'python', filename: 'probe', text: '' });
}
