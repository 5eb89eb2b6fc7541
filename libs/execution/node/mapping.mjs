/** `map` over a part's items: results in order, one failure per bad item, the rest of the part given back after too many. */
import { Closed, u32 } from './channel.mjs';
import { NotJson, decodeLines, encode, linesOf, resultBytesMax } from './encode.mjs';
import { describe, itemChars, scrub, short } from './failures.mjs';
import { Pairs, PairsFault } from './pairs.mjs';
import { mustSettle } from './script.mjs';

const failuresMax = 20;
export const flushChars = 64 * 1024;
const flushMs = 50;
/** Pairs that are combined wait longer: the more there are, the better they combine. */
const flushPairsMs = 1_000;
/** A result this long travels alone, so that no other waits for it. */
const longChars = 256 * 1024;
/** The event loop turns at least this often: timers of the script, signals (ms). */
const turnMs = 10;

/** So many items failed that the rest of the part is given back. */
export class Full extends Error {}

const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

/** Sends what came of items in their order: `O` and `Q` (results), `F` (a failed item). */
export class Outcomes {
  #failed = 0;

  constructor(channel, sources, from) {
    this.channel = channel;
    this.sources = sources;
    this.sent = from;
  }

  results(items, body) {
    this.channel.send('O', u32(items), body);
    this.sent += items;
  }

  /** @throws Full. */
  failure(failure, text) {
    const more = text === undefined ? {} : { itemText: scrub(short(text, itemChars)) };
    this.channel.sendJson('F', { ...failure, item: this.sent, ...more });
    this.sent += 1;
    this.#failed += 1;
    if (this.#failed >= failuresMax) throw new Full();
  }
}

/** One part. */
export class Mapper {
  #lines = [];
  #size = 0;
  #flushedAt = performance.now();
  #turnedAt = performance.now();

  constructor(channel, script, state, head) {
    this.channel = channel;
    this.script = script;
    this.state = state;
    this.to = head.to;
    this.at = head.from;
    this.call = script.caller('map');
    this.outcomes = new Outcomes(channel, script.sources, head.from);
    this.pairs = head.buckets ? new Pairs(script, head.buckets) : undefined;
  }

  runRange(base) {
    const first = base + this.at;
    return this.#map(this.to - this.at, (i) => first + i);
  }

  /** The next `count` items as NDJSON. */
  async runBlock(count, block) {
    const items = parsed(block);
    if (items?.length === count) return this.#map(count, (i) => items[i]);
    // Only a block with a bad item is parsed line by line, to name it.
    if (count > 0) for (const line of linesOf(block)) await this.#mapLine(line);
  }

  async #mapLine(line) {
    this.state.at(this.at);
    let item;
    try {
      item = JSON.parse(line.toString());
    } catch (thrown) {
      return this.#failWith(
        { message: scrub(`the item is not JSON: ${thrown.message}`) },
        line.toString('utf8', 0, 1000),
      );
    }
    return this.#map(1, () => item);
  }

  async #map(count, itemAt) {
    if (this.pairs !== undefined) return this.#mapPairs(this.pairs, count, itemAt);
    const { state, call, script } = this;
    for (let i = 0; i < count; i += 1) {
      const item = itemAt(i);
      state.at(this.at);
      try {
        const given = call(item);
        const line = encode(mustSettle(given) ? await script.settled(given) : given);
        if (line.length > longChars) await this.#sendLong(line);
        else this.#add(line);
      } catch (thrown) {
        await this.#fail(thrown, item);
      }
      if (this.#size >= flushChars || performance.now() - this.#flushedAt >= flushMs) await this.flush();
    }
  }

  #add(line) {
    this.#lines.push(line);
    this.#size += line.length + 1;
    this.at += 1;
  }

  async #mapPairs(pairs, count, itemAt) {
    const everyMs = pairs.combines ? flushPairsMs : flushMs;
    for (let i = 0; i < count; i += 1) {
      const item = itemAt(i);
      this.state.at(this.at);
      try {
        const given = this.call(item);
        await pairs.add(mustSettle(given) ? await this.script.settled(given) : given);
        this.at += 1;
      } catch (thrown) {
        await this.#fail(thrown, item);
      }
      if (pairs.full || performance.now() - this.#flushedAt >= everyMs) await this.flush();
    }
  }

  /** Sends what is finished: from then on it outlives this process. */
  async flush() {
    const now = performance.now();
    this.#flushedAt = now;
    if (this.at > this.outcomes.sent) {
      if (this.pairs === undefined) this.#flushLines();
      else await this.#flushPairs(this.pairs);
    }
    if (now - this.#turnedAt < turnMs) return;
    await nextTurn();
    this.#turnedAt = performance.now();
  }

  #flushLines() {
    this.#lines.push('');
    const body = Buffer.from(this.#lines.join('\n'));
    this.#lines = [];
    this.#size = 0;
    this.outcomes.results(this.at - this.outcomes.sent, body);
  }

  async #flushPairs(pairs) {
    let parts;
    try {
      parts = await pairs.take();
    } catch (thrown) {
      if (!(thrown instanceof PairsFault)) throw thrown;
      // `combine` failed for items together; the first stands for them and the others are tried again.
      this.outcomes.failure(describe(thrown.cause, this.script.sources));
      throw new Full();
    }
    const head = { items: this.at - this.outcomes.sent, buckets: parts.map(([bucket, raw]) => [bucket, raw.length]) };
    this.channel.sendRaw('Q', head, ...parts.map(([, raw]) => raw));
    this.outcomes.sent = this.at;
  }

  async #sendLong(line) {
    const raw = Buffer.from(`${line}\n`);
    if (raw.length > resultBytesMax)
      throw new NotJson(`the result has ${raw.length - 1} bytes; the limit is ${resultBytesMax}`);
    await this.flush();
    this.at += 1;
    this.outcomes.results(1, raw);
  }

  async #fail(thrown, item) {
    if (thrown instanceof Closed || thrown instanceof Full) throw thrown;
    await this.#failWith(describe(thrown, this.script.sources), textOf(item));
  }

  async #failWith(failure, text) {
    await this.flush();
    this.at += 1;
    this.outcomes.failure(failure, text);
  }
}

function parsed(block) {
  try {
    return decodeLines(block);
  } catch {
    return undefined;
  }
}

function textOf(item) {
  try {
    return JSON.stringify(item) ?? String(item);
  } catch {
    return `(${typeof item})`;
  }
}
