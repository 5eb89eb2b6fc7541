import { messageOf } from '@das/kernel';
import { NotStartedError } from '../ports/errors.js';
import { type StartOptions, startWorker } from './worker-start.js';

/** A first worker that has not answered by then never will (ms). */
export const probeMs = 30_000;
const wordsChars = 2_000;

/** Makes one worker, has it answer, and ends it. @throws NotStartedError with its own last words; nothing of it is left. */
export async function probeWorker(options: StartOptions): Promise<void> {
  const worker = await startWorker(options);
  let [said, late] = ['', false];
  worker.onPrint = (_stream, text) => (said = (said + text).slice(-wordsChars));
  const stop = options.clock.timer(probeMs, () => {
    late = true;
    worker.kill();
  });
  try {
    await worker.runtime.ready;
    await worker.runtime.inspect({ language: 'python', filename: 'probe', text: '' });
  } catch (error) {
    const words = said.trim().split('\n').at(-1) ?? '';
    const why = late ? `it did not answer within ${probeMs} ms` : messageOf(error);
    throw new NotStartedError(words === '' ? why : words, { cause: error });
  } finally {
    stop();
    worker.kill();
    await worker.gone;
  }
}
