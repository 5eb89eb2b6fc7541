/** One part of a WASI command module: what it reads and writes, and what that means for its items. */
import { isUtf8 } from 'node:buffer';
import { Closed } from './channel.mjs';
import { newline, resultBytesMax } from './encode.mjs';
import { describe } from './failures.mjs';
import { Full, Outcomes, flushChars } from './mapping.mjs';
import { Sources } from './sources.mjs';

/** Of what it complains, so much is told with the failure. */
const stderrChars = 1_500;

/** Ends a run of the module from inside one of its calls. */
class Stop extends Error {}

/** One part: as many runs of the module as it needs, one unless an item makes it stop. */
export class WasmRun {
  #waiting = [];
  #size = 0;
  #line = [];
  #lineBytes = 0;
  #complaint = '';
  #surplus = false;
  #next = 0;
  #offset = 0;

  constructor(channel, state, { from, to }, items) {
    Object.assign(this, { channel, state, from, to, items });
    this.at = from;
    this.outcomes = new Outcomes(channel, new Sources(), from);
  }

  /** Runs until the module ends; the item at which it stopped before the last one has failed. */
  attempt(start) {
    this.#next = this.at - this.from;
    this.#offset = 0;
    this.#line = [];
    this.#lineBytes = 0;
    this.#complaint = '';
    const why = this.#ending(start);
    if (why === undefined && this.#lineBytes > 0) this.write(Buffer.from('\n'));
    if (this.#surplus || (why !== undefined && this.at >= this.to)) return this.#takeBack(why);
    if (this.at < this.to)
      this.#fail(
        why ?? { message: `the module ended after ${this.at - this.from} results of ${this.to - this.from} items` },
      );
  }

  #ending(start) {
    try {
      const code = start();
      return code === 0 ? undefined : { message: `the module ended with exit code ${code}${this.#said()}` };
    } catch (thrown) {
      if (thrown instanceof Closed || thrown instanceof Full) throw thrown;
      if (thrown instanceof Stop) return { message: thrown.message };
      const { message } = describe(thrown, new Sources());
      return { message: `${message}${this.#said()}` };
    }
  }

  #said() {
    const text = this.#complaint.trim();
    return text === '' ? '' : `: ${text}`;
  }

  /** The last result waits until the module has ended well: what it says after it makes that one fail. */
  #takeBack(why) {
    this.#waiting.pop();
    this.at -= 1;
    const surplus = { message: `the module gave more than one result per item (${this.to - this.from} items)` };
    this.#fail(this.#surplus ? surplus : why);
  }

  #fail(failure) {
    this.flush();
    this.at += 1;
    const item = this.items.at(this.at - 1 - this.from);
    this.outcomes.failure(failure, item.toString('utf8', 0, 1000).trimEnd());
  }

  read(into) {
    if (this.#next >= this.items.length) return 0;
    const item = this.items.at(this.#next);
    const copied = item.copy(into, 0, this.#offset);
    this.#offset += copied;
    if (this.#offset === item.length) {
      this.#next += 1;
      this.#offset = 0;
    }
    return copied;
  }

  /** @throws Stop for what cannot be a result, which ends the run. */
  write(from) {
    for (let at = 0; at < from.length;) {
      const end = from.indexOf(newline, at);
      this.#hold(from.subarray(at, end < 0 ? undefined : end));
      if (end < 0) break;
      this.#lineEnds();
      at = end + 1;
    }
    return from.length;
  }

  #hold(piece) {
    this.#lineBytes += piece.length;
    if (this.#lineBytes > resultBytesMax) throw new Stop(`the result has more than ${resultBytesMax} bytes`);
    // The module's memory is its own: it changes.
    this.#line.push(Buffer.from(piece));
  }

  #lineEnds() {
    const line = Buffer.concat([...this.#line, Buffer.from('\n')]);
    this.#line = [];
    this.#lineBytes = 0;
    if (this.at >= this.to) {
      this.#surplus = true;
      throw new Stop('too many results');
    }
    const fault = notJson(line);
    if (fault !== undefined) throw new Stop(`the result is not JSON: ${fault}`);
    if (this.#size >= flushChars) this.flush();
    this.#waiting.push(line);
    this.#size += line.length;
    this.at += 1;
    this.state.at(this.at);
  }

  complain(from) {
    process.stderr.write(Buffer.from(from));
    this.#complaint = (this.#complaint + from.toString()).slice(-stderrChars);
    return from.length;
  }

  flush() {
    if (this.#waiting.length === 0) return;
    const body = Buffer.concat(this.#waiting);
    this.outcomes.results(this.#waiting.length, body);
    this.#waiting = [];
    this.#size = 0;
  }
}

function notJson(line) {
  if (!isUtf8(line)) return 'it is not UTF-8';
  try {
    JSON.parse(line.toString());
    return undefined;
  } catch (fault) {
    return fault.message;
  }
}
