/** A hook must not run on where nobody confirms it any more, also when the executor itself stands still. */
import { Worker } from 'node:worker_threads';
import { confirmationsAt } from './state.mjs';

const lookMs = 100;

/** In a thread of its own: the script may never let go of its own. */
const watch = `
const { readSync } = require('node:fs');
const { workerData: { fd, at, leaseMs, lookMs, over } } = require('node:worker_threads');
const count = Buffer.alloc(8);
const confirmations = () => { readSync(fd, count, 0, 8, at); return count.readBigUInt64LE(); };
let seen = confirmations(), since = performance.now();
while (Atomics.wait(over, 0, 0, Math.min(lookMs, leaseMs / 10)) === 'timed-out') {
  const now = confirmations();
  if (now !== seen) { seen = now; since = performance.now(); }
  else if (performance.now() - since > leaseMs) {
    try { process.kill(-process.pid, 'SIGKILL'); } catch {}
    process.kill(process.pid, 'SIGKILL');
  }
}`;

/** Ends this process and all it started once `leaseMs` went by without a new confirmation. */
export class Lease {
  #over = new Int32Array(new SharedArrayBuffer(4));
  #ended;

  constructor(state, leaseMs) {
    const workerData = { fd: state.fd, at: confirmationsAt, leaseMs, lookMs, over: this.#over };
    const thread = new Worker(watch, { eval: true, workerData, stdout: true, stderr: true });
    this.#ended = new Promise((resolve) => thread.once('exit', resolve));
  }

  async end() {
    Atomics.store(this.#over, 0, 1);
    Atomics.notify(this.#over, 0);
    await this.#ended;
  }
}

/** Nobody waits for results any more: what the script started in the background ends too. */
export function endGroup() {
  try {
    process.kill(-process.pid, 'SIGKILL');
  } catch {
    // Not the leader of a group of its own.
  }
  process.reallyExit(70);
}
