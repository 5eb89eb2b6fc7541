/** What `map` gives for `reduce`: [key, value] pairs, combined where the script can, as `[key,value]` lines by bucket. */
import { encode } from './encode.mjs';
import { bucketOf, canonical, kindOf } from './keys.mjs';

const pairsMax = 100_000;
const bytesMax = 256 * 1024;
const keysCachedMax = 65_536;

/** `combine` failed, or gave what is not JSON. */
export class PairsFault extends Error {}

export class Pairs {
  #buckets;
  #combine;
  #heads = new Map();
  #groups = new Groups();
  #lines = new Map();
  #count = 0;
  #bytes = 0;

  constructor(script, buckets) {
    this.script = script;
    this.#buckets = buckets;
    this.combines = script.has('combine');
    this.#combine = this.combines ? script.caller('combine') : undefined;
  }

  get full() {
    return this.#count >= pairsMax || this.#bytes >= bytesMax;
  }

  /** All pairs of one item, or none of them: what the script throws on the way leaves nothing behind. */
  async add(produced) {
    if (produced === undefined || produced === null) return;
    const pairs = (await this.script.listed(produced)) ?? entries(produced);
    pairs.forEach(check);
    if (this.#combine === undefined) this.#write(pairs);
    else this.#groups.addAll(pairs);
    this.#count += pairs.length;
  }

  #write(pairs) {
    const lines = pairs.map(([key, value]) => {
      const { bucket, start } = this.#head(key);
      return [bucket, `${start}${encode(value)}]`];
    });
    for (const [bucket, line] of lines) this.#put(bucket, line);
  }

  #put(bucket, line) {
    const known = this.#lines.get(bucket);
    if (known === undefined) this.#lines.set(bucket, [line]);
    else known.push(line);
    this.#bytes += line.length;
  }

  /** Bucket and beginning of the line; words repeat, so they are remembered. */
  #head(key) {
    const known = typeof key === 'string' ? this.#heads.get(key) : undefined;
    if (known !== undefined) return known;
    const text = canonical(key);
    const head = { bucket: bucketOf(text, this.#buckets), start: `[${text},` };
    if (this.#heads.size >= keysCachedMax) this.#heads.clear();
    if (typeof key === 'string') this.#heads.set(key, head);
    return head;
  }

  /** [[bucket, NDJSON]] of what was added since. @throws PairsFault. */
  async take() {
    if (this.#combine !== undefined) await this.#combineGroups(this.#combine);
    const taken = [...this.#lines].sort(([a], [b]) => a - b);
    this.#lines = new Map();
    this.#count = this.#bytes = 0;
    return taken.map(([bucket, lines]) => [bucket, Buffer.from(`${lines.join('\n')}\n`)]);
  }

  async #combineGroups(combine) {
    const groups = this.#groups;
    this.#groups = new Groups();
    try {
      for (const { key, values } of groups.all()) {
        const { bucket, start } = this.#head(key);
        this.#put(bucket, `${start}${encode(await this.script.settled(combine(key, values)))}]`);
      }
    } catch (thrown) {
      this.#lines = new Map();
      throw new PairsFault('combine failed', { cause: thrown });
    }
  }
}

/** Values by key. A string is its own name; other keys go by their canonical text, so that 1 and "1" differ. */
export class Groups {
  #strings = new Map();
  #others = new Map();

  get size() {
    return this.#strings.size + this.#others.size;
  }

  addAll(pairs) {
    const named = pairs.map(([key, value]) => ({
      key,
      value,
      name: typeof key === 'string' ? undefined : canonical(key),
    }));
    for (const { key, value, name } of named) {
      const [map, id] = name === undefined ? [this.#strings, key] : [this.#others, name];
      const known = map.get(id);
      if (known === undefined) map.set(id, { key, values: [value] });
      else known.values.push(value);
    }
  }

  all() {
    return [...this.#strings.values(), ...this.#others.values()];
  }
}

/** A plain object is its entries, as a dict is in Python. */
function entries(produced) {
  if (typeof produced === 'object') return Object.entries(produced);
  throw new TypeError(wrong(produced));
}

function check(pair) {
  if (!Array.isArray(pair) || pair.length !== 2) throw new TypeError(wrong(pair));
}

const wrong = (value) => `map must give [key, value] pairs when the script exports reduce; this is a ${kindOf(value)}`;
