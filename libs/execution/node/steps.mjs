/** The steps of a job that are not maps: reduce, gather (or the built-in merge of sorted buckets), main, and the two hooks. */
import { decodeLines, encode, newline, resultBytesMax, NotJson } from './encode.mjs';
import { describe, messageChars, short } from './failures.mjs';
import { spellings } from './functions.mjs';
import { compare } from './keys.mjs';
import { Lease } from './lease.mjs';
import { flushChars } from './mapping.mjs';
import { Groups } from './pairs.mjs';
import { isGenerator } from './script.mjs';
import { Results, Spool, merged } from './spool.mjs';

/** Sends lines as `W` frames, many at a time. */
class Lines {
  #waiting = [];
  #size = 0;

  constructor(channel) {
    this.channel = channel;
  }

  value(value) {
    this.raw(Buffer.from(encode(value)));
  }

  raw(line) {
    if (line.length > resultBytesMax)
      throw new NotJson(`the result has ${line.length} bytes; the limit is ${resultBytesMax}`);
    if (this.#size > 0 && this.#size + line.length > flushChars) this.flush();
    this.#waiting.push(line, lineEnd);
    this.#size += line.length;
  }

  flush() {
    if (this.#waiting.length === 0) return;
    this.channel.send('W', Buffer.concat(this.#waiting));
    this.#waiting = [];
    this.#size = 0;
  }
}
const lineEnd = Buffer.from('\n');

/** Hands each `D` frame (source, raw) to `take` until `E`. */
async function receive(channel, take) {
  for (;;) {
    const { kind, payload } = await channel.read();
    if (kind === 'E') return;
    take(payload.readUInt32LE(0), payload.subarray(4));
  }
}

/** Groups a bucket's pairs by key, values in item order, and reduces the keys in their order. */
export async function reduceBucket(channel, script, state) {
  const groups = await grouped(channel, state);
  const call = script.caller('reduce');
  const lines = new Lines(channel);
  for (const { key, values } of groups.all().sort((a, b) => compare(a.key, b.key))) {
    state.advance();
    lines.value({ key, value: (await script.settled(call(key, values))) ?? null });
  }
  lines.flush();
  return groups.size;
}

async function grouped(channel, state) {
  const groups = new Groups();
  const rest = [];
  await receive(channel, (_source, raw) => {
    state.advance();
    const cut = raw.lastIndexOf(newline) + 1;
    if (cut > 0) groups.addAll(decodeLines(Buffer.concat([...rest.splice(0), raw.subarray(0, cut)])));
    if (cut < raw.length) rest.push(raw.subarray(cut));
  });
  return groups;
}

async function spooled(channel, act) {
  const spool = new Spool();
  try {
    await receive(channel, (source, raw) => spool.add(source, raw));
    return await act(spool);
  } finally {
    spool.close();
  }
}

export function gather(channel, script, head) {
  return spooled(channel, async (spool) => {
    const lines = new Lines(channel);
    if (!head.merge)
      return writeResult(script, lines, await given(script, script.caller('gather')(new Results(spool, head.keyed))));
    for (const { line } of merged(spool)) lines.raw(line);
    lines.flush();
    return spool.lines;
  });
}

/** Tells the script how its job was decided. What it gives is nobody's; a generator runs to its end all the same. */
export async function hook(channel, script, state, head) {
  const lease = new Lease(state, head.leaseMs);
  try {
    if (head.error !== undefined) {
      await exhaust(script, script.caller('on_failure')(head.error));
      return 0;
    }
    return await spooled(channel, async (spool) => {
      await exhaust(script, script.caller('on_success')(new Results(spool, false)));
      return spool.lines;
    });
  } finally {
    await lease.end();
  }
}

async function exhaust(script, value) {
  const told = await given(script, value);
  if (!isGenerator(told)) return;
  const elements = script.each(told);
  while (!(await elements.next()).done);
}

const given = (script, value) => (typeof value?.then === 'function' ? script.wait(value) : value);

export const hookName = (head) => spellings(head.error === undefined ? 'on_success' : 'on_failure')[0];

export async function mainStep(channel, script) {
  return writeResult(script, new Lines(channel), await given(script, script.caller('main')()));
}

/** An array, a generator or any iterator gives one line per element; anything else is one line. */
async function writeResult(script, lines, value) {
  let count = 0;
  if (Array.isArray(value) || value instanceof Results || isGenerator(value))
    for await (const element of script.each(value)) {
      lines.value(element);
      count += 1;
    }
  else {
    lines.value(value);
    count = 1;
  }
  lines.flush();
  return count;
}

export function stepFailure(name, thrown, sources) {
  const failure = describe(thrown, sources);
  return { ...failure, message: short(`${name} failed: ${failure.message}`, messageChars) };
}
