/** JSON as the cluster speaks it: compact, UTF-8, and nothing lost in silence. */

export const resultBytesMax = 16 * 1024 * 1024;

/** A result that JSON does not have. The message is for people. */
export class NotJson extends Error {}

/** Their JSON is {}, whatever they hold. */
const opaque = new Set(['Map', 'Set', 'WeakMap', 'WeakSet', 'Promise', 'RegExp', 'ArrayBuffer', 'Error', 'Generator']);

/** The JSON text of a value; nothing returned is null. @throws NotJson; what a getter or toJSON of the script throws. */
export function encode(value) {
  const text = stringify(value);
  if (text === undefined) {
    if (value === undefined) return 'null';
    throw notJson(typeof value);
  }
  // Where JSON.stringify drops something without a word, one of these is left.
  if (text.includes('null') || text.includes('{}')) checked(value);
  return text;
}

function checked(value) {
  try {
    check(value);
  } catch (thrown) {
    throw reworded(thrown);
  }
}

function stringify(value) {
  try {
    return JSON.stringify(value);
  } catch (thrown) {
    throw reworded(thrown);
  }
}

function reworded(thrown) {
  const text = String(thrown?.message);
  if (thrown instanceof RangeError && text.includes('call stack'))
    return new NotJson('the result is nested too deeply');
  if (thrown instanceof RangeError && text.includes('string length'))
    return new NotJson('the result is too large for a text');
  if (thrown instanceof TypeError && text.includes('circular structure'))
    return new NotJson('the result contains itself');
  if (thrown instanceof TypeError && text.includes('serialize a BigInt')) return notJson('BigInt');
  return thrown;
}

const notJson = (kind) =>
  new NotJson(
    `a result of type ${kind} is not JSON; return an object, array, string, number, boolean or null${kind === 'Promise' ? ' (is an await missing?)' : ''}`,
  );

/** @throws NotJson for what became null or {} and is not. Never deeper than what was written before. */
function check(value) {
  if (typeof value === 'number' && !Number.isFinite(value))
    throw new NotJson('the result holds NaN or Infinity, which JSON does not have');
  if (typeof value === 'function' || typeof value === 'symbol') throw notJson(typeof value);
  if (typeof value !== 'object' || value === null || typeof value.toJSON === 'function') return;
  if (Array.isArray(value)) return value.forEach(check);
  const kind = Object.prototype.toString.call(value).slice(8, -1);
  if (opaque.has(kind)) throw notJson(kind);
  for (const name of Object.keys(value)) if (typeof value[name] !== 'function') check(value[name]);
}

/** The items of an NDJSON block, parsed as one array. @throws SyntaxError. */
export function decodeLines(block) {
  const end = block.length > 0 && block[block.length - 1] === newline ? block.length - 1 : block.length;
  return JSON.parse(`[${block.toString('utf8', 0, end).replaceAll('\n', ',')}]`);
}
export const newline = 10;

/** The lines of a block, as bytes. */
export function* linesOf(block) {
  for (let from = 0; from < block.length;) {
    const end = block.indexOf(newline, from);
    yield block.subarray(from, end < 0 ? block.length : end);
    from = end < 0 ? block.length : end + 1;
  }
}
