/** Lines kept in files of the worker's own folder, to be read as often as wanted: results may be larger than memory. */
import { closeSync, openSync, readSync, unlinkSync, writeSync } from 'node:fs';
import { decodeLines, linesOf, newline } from './encode.mjs';
import { compare } from './keys.mjs';

/** Below the largest file that a worker may write. */
const fileBytes = 512 * 1024 * 1024;
const readBytes = 256 * 1024;
/** While many sources are merged, each has a smaller buffer. */
const mergeReadBytes = 32 * 1024;

/** Bytes by source (a bucket; 0 where there is only one), in the order they came. */
export class Spool {
  #files = [];
  #size = 0;
  #extents = new Map();
  lines = 0;

  add(source, raw) {
    if (this.#files.length === 0 || this.#size + raw.length > fileBytes) this.#open();
    const file = this.#files.at(-1);
    for (let at = 0; at < raw.length;) at += writeSync(file, raw, at);
    this.#note(source, raw.length);
    for (let at = raw.indexOf(newline); at >= 0; at = raw.indexOf(newline, at + 1)) this.lines += 1;
  }

  #open() {
    const name = `.das-spool-${this.#files.length}`;
    this.#files.push(openSync(name, 'w+', 0o600));
    // Nobody else needs the name, and nothing is left when the worker dies.
    unlinkSync(name);
    this.#size = 0;
  }

  #note(source, length) {
    const extents = this.#extents.get(source) ?? [];
    this.#extents.set(source, extents);
    const last = extents.at(-1);
    const file = this.#files.at(-1);
    if (last?.file === file && last.start + last.length === this.#size) last.length += length;
    else extents.push({ file, start: this.#size, length });
    this.#size += length;
  }

  get sources() {
    return [...this.#extents.keys()].sort((a, b) => a - b);
  }

  /** Whole lines of a source, block by block. */
  *blocks(source, bytes = readBytes) {
    const rest = [];
    for (const { file, start, length } of this.#extents.get(source) ?? []) {
      for (let at = start; at < start + length;) {
        const piece = Buffer.allocUnsafe(Math.min(bytes, start + length - at));
        const whole = piece.subarray(0, readSync(file, piece, 0, piece.length, at));
        at += whole.length;
        const cut = whole.lastIndexOf(newline) + 1;
        if (cut > 0) yield Buffer.concat([...rest.splice(0), whole.subarray(0, cut)]);
        if (cut < whole.length) rest.push(whole.subarray(cut));
      }
    }
    if (rest.length > 0) yield Buffer.concat([...rest, Buffer.from('\n')]);
  }

  *parsed(source, bytes) {
    for (const block of this.blocks(source, bytes)) yield* decodeLines(block);
  }

  close() {
    for (const file of this.#files) closeSync(file);
    this.#files = [];
  }
}

/** `{"key","value"}` lines of all buckets in key order; each bucket is in order by itself. Gives {line, value}. */
export function* merged(spool) {
  const heap = new Heap();
  for (const source of spool.sources) heap.put(lined(spool, source));
  while (heap.size > 0) yield heap.next();
}

function* lined(spool, source) {
  for (const block of spool.blocks(source, mergeReadBytes)) {
    const values = decodeLines(block);
    let i = 0;
    for (const line of linesOf(block)) yield { line, value: values[i++] };
  }
}

/** Sources by what they give next. */
class Heap {
  #heads = [];

  get size() {
    return this.#heads.length;
  }

  put(source) {
    const { done, value } = source.next();
    if (done) return;
    this.#heads.push({ source, value });
    for (let at = this.#heads.length - 1; at > 0 && this.#before(at, (at - 1) >> 1); at = (at - 1) >> 1)
      this.#swap(at, (at - 1) >> 1);
  }

  next() {
    const [first] = this.#heads;
    const { value } = first;
    const following = first.source.next();
    if (!following.done) first.value = following.value;
    else {
      const last = this.#heads.pop();
      if (last !== first) this.#heads[0] = last;
    }
    this.#sink(0);
    return value;
  }

  #sink(at) {
    let least = at;
    for (const child of [2 * at + 1, 2 * at + 2])
      if (child < this.#heads.length && this.#before(child, least)) least = child;
    if (least === at) return;
    this.#swap(at, least);
    this.#sink(least);
  }

  #before(a, b) {
    return compare(this.#heads[a].value.value.key, this.#heads[b].value.value.key) < 0;
  }

  #swap(a, b) {
    [this.#heads[a], this.#heads[b]] = [this.#heads[b], this.#heads[a]];
  }
}

/** What `gather` gets: iterates as often as wanted, knows its length, never sits in memory as a whole. */
export class Results {
  #spool;
  #keyed;

  constructor(spool, keyed) {
    this.#spool = spool;
    this.#keyed = keyed;
  }

  get length() {
    return this.#spool.lines;
  }

  *[Symbol.iterator]() {
    if (this.#keyed) for (const { value } of merged(this.#spool)) yield value;
    else for (const source of this.#spool.sources) yield* this.#spool.parsed(source);
  }
}
