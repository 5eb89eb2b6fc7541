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

/** Whether a worker that was probed failed without anybody's doing: another would, too. */
export function failsAgain(error: unknown): error is NotStartedError {
  if (!(error instanceof NotStartedError)) return false;
  const { cause } = error;
  return cause instanceof LateError || (cause instanceof WorkerGoneError && cause.exit.code !== null);
}

/** Makes one worker, has it answer, and ends it. @throws NotStartedError with its own last words; nothing of it is left. */
export async function probeWorker(options: StartOptions): Promise<void> {
  const worker = await startWorker(options);
  let giveUp: ((error: Error) => void) | undefined;
  const late = new Promise<never>((_resolve, reject) => (giveUp = reject));
  const stop = options.clock.timer(probeMs, () => giveUp?.(new LateError()));
  try {
    await withLastWords(worker, () => Promise.race([answered(worker), late]));
  } finally {
    stop();
    worker.kill();
    await worker.gone;
  }
}

async function answered({ runtime }: Awaited<ReturnType<typeof startWorker>>): Promise<void> {
  await runtime.ready;
  await runtime.inspect({ language: 'python', filename: 'probe', text: '' });
}
