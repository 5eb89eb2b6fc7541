import { messageOf } from '@das/kernel';
import { NotStartedError } from '../ports/errors.js';
import type { PooledWorker } from './pooled-worker.js';

const wordsChars = 2_000;

/**
 * What a worker does before it is of use to anybody. One that fails is ended, and told by what it wrote last: that says more than an exit code.
 * @throws NotStartedError; nothing of the worker is left.
 */
export async function withLastWords(worker: PooledWorker, begin: () => Promise<unknown>): Promise<void> {
  let said = '';
  worker.onPrint = (_stream, text) => (said = (said + text).slice(-wordsChars));
  try {
    await begin();
  } catch (error) {
    worker.kill();
    // What it wrote is read by then.
    await worker.gone;
    const words = said.trim().split('\n').at(-1) ?? '';
    throw new NotStartedError(words === '' ? messageOf(error) : words, { cause: error });
  } finally {
    worker.onPrint = undefined;
  }
}
