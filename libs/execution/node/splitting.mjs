/** `split`: gives the items, sent as numbered blocks; a later attempt reproduces the blocks that are stored and goes on after them. */
import { createHash } from 'node:crypto';
import { Closed } from './channel.mjs';
import { encode } from './encode.mjs';
import { kindOf } from './keys.mjs';

const blockBytes = 256 * 1024;
const blockItemsMax = 65_536;
const itemBytesMax = 1024 * 1024 - 1024;
const flushMs = 200;
const lineEnd = Buffer.from('\n');

/** The items are not those that an earlier attempt gave. */
export class Differs extends Error {}

/** Cuts items into blocks: first along the stored ones, then by size and time. */
class Blocks {
  #no = 0;
  #first = 0;
  #lines = [];
  #size = 0;
  #owed = false;
  #flushedAt = performance.now();

  constructor(channel, stored) {
    this.channel = channel;
    this.stored = stored;
  }

  get items() {
    return this.#first + this.#lines.length;
  }

  async add(line) {
    if (line.length > itemBytesMax)
      throw new RangeError(`item ${this.items} has ${line.length} bytes; the limit is ${itemBytesMax}`);
    const known = this.stored[this.#no];
    if (known !== undefined) {
      this.#lines.push(line);
      if (this.#lines.length === known.to - known.from) this.#compare(known);
      return;
    }
    if (this.#lines.length > 0 && this.#size + line.length >= blockBytes) await this.#send();
    this.#lines.push(line);
    this.#size += line.length + 1;
    if (this.#lines.length >= blockItemsMax || performance.now() - this.#flushedAt >= flushMs) await this.#send();
  }

  #take() {
    const raw = Buffer.concat(this.#lines.flatMap((line) => [line, lineEnd]));
    const to = this.items;
    const digest = createHash('sha256').update(raw).digest('hex');
    const head = { no: this.#no, from: this.#first, to, digest };
    this.#no += 1;
    this.#first = to;
    this.#lines = [];
    this.#size = 0;
    this.#flushedAt = performance.now();
    return { head, raw };
  }

  #compare({ digest }) {
    const { head } = this.#take();
    if (head.digest !== digest)
      throw new Differs(`items ${head.from} to ${head.to - 1} are not those that an earlier attempt yielded`);
  }

  async #send() {
    const { head, raw } = this.#take();
    await this.#awaitStored();
    this.channel.sendRaw('K', head, raw);
    this.#owed = true;
  }

  /** One block on its way at a time: the script goes no faster than the store. */
  async #awaitStored() {
    if (!this.#owed) return;
    const { kind } = await this.channel.read();
    if (kind !== 'A') throw new Closed();
    this.#owed = false;
  }

  async finish() {
    if (this.#no < this.stored.length)
      throw new Differs(`only ${this.items} items were yielded; an earlier attempt yielded more`);
    if (this.#lines.length > 0) await this.#send();
    await this.#awaitStored();
  }
}

/** Runs `split` to its end. Gives the number of items. */
export async function split(channel, script, state) {
  const blocks = new Blocks(channel, await storedBlocks(channel));
  const called = script.caller('split')();
  const items = typeof called?.then === 'function' ? await script.wait(called) : called;
  if (typeof items !== 'object' || (items?.[Symbol.iterator] ?? items?.[Symbol.asyncIterator]) === undefined)
    throw new TypeError(`split must yield or return items; it gave ${kindOf(items)}`);
  for await (const item of script.each(items)) {
    state.advance();
    await blocks.add(Buffer.from(encode(item)));
  }
  await blocks.finish();
  return blocks.items;
}

async function storedBlocks(channel) {
  const heads = [];
  for (;;) {
    const { kind, payload } = await channel.read();
    if (kind === 'E') return heads;
    heads.push(...JSON.parse(payload));
  }
}
