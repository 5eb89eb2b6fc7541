/** What worker and executor may know of each other without asking: four 8-byte numbers in a file that outlives this process. */
import { openSync, readSync, writeSync } from 'node:fs';

const file = '.das-progress';
const counterAt = 8;
export const confirmationsAt = 16;
const cancelledAt = 24;
const two32 = 2 ** 32;

/** [the item it is at][everything else that counts as progress][confirmations of a hook, by the executor][cancelled, by the executor]. */
export class State {
  fd = openSync(file, 'r+');
  #item = new Uint32Array(2);
  #itemBytes = new Uint8Array(this.#item.buffer);
  #counter = new Uint32Array(2);
  #counterBytes = new Uint8Array(this.#counter.buffer);
  #flag = new Uint8Array(8);
  #controller = new AbortController();

  /** One write of 8 bytes (0.9 us, measured): what a crash blames is exact. */
  at(item) {
    this.#item[0] = item % two32;
    this.#item[1] = item / two32;
    writeSync(this.fd, this.#itemBytes, 0, 8, 0);
  }

  advance() {
    this.#counter[0] += 1;
    writeSync(this.fd, this.#counterBytes, 0, 8, counterAt);
  }

  /** Read from the file, because no signal is heard while a script computes. */
  get cancelled() {
    readSync(this.fd, this.#flag, 0, 8, cancelledAt);
    return this.#flag[0] !== 0;
  }

  /** Aborts when nobody wants the result any more. */
  get signal() {
    return this.#controller.signal;
  }

  cancel() {
    this.#controller.abort();
  }
}
