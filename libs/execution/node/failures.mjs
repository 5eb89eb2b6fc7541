/** What is told about a failure: the message, and the script's own part of the stack with the line it broke at. */
import { inspect } from 'node:util';
import { NotJson } from './encode.mjs';

export const messageChars = 2_000;
const tracebackChars = 7_800;
export const itemChars = 200;
const causesMax = 3;
const ours = /[( ]das:/;
const internal = /[( ]node:/;
const frame = /^ {4}at /;

/** The script asked the process to end. */
export class ExitRequest extends Error {
  constructor(code) {
    super(`called process.exit(${code ?? ''})`);
  }
}

export const short = (text, chars) => (text.length <= chars ? text : `${text.slice(0, chars)}...`);

/** Lone surrogates have no UTF-8. */
export const scrub = (text) => text.toWellFormed?.() ?? text;

function messageOf(thrown) {
  try {
    if (thrown instanceof ExitRequest) return thrown.message;
    if (!(thrown instanceof Error) && !isError(thrown)) return `threw ${inspect(thrown, { depth: 2 })}`;
    const name = nameOf(thrown);
    return thrown.message ? `${name}: ${thrown.message}` : name;
  } catch {
    return '(its message cannot be read)';
  }
}

/** Also of another realm. */
const isError = (value) => Object.prototype.toString.call(value) === '[object Error]';

function nameOf(thrown) {
  const made = thrown.constructor?.name;
  return thrown.name === 'Error' && made ? made : String(thrown.name);
}

/** The frames above ours; undefined: none is the script's. */
function framesOf(thrown) {
  const lines = String(thrown?.stack ?? '')
    .split('\n')
    .filter((line) => frame.test(line));
  const end = lines.findIndex((line) => ours.test(line));
  const own = lines.slice(0, end < 0 ? undefined : end).filter((line) => !internal.test(line));
  return own.length === 0 ? undefined : own;
}

function tracebackOf(thrown, sources, depth = 0) {
  const frames = framesOf(thrown)?.map((line) => sources.original(line));
  if (frames === undefined) return undefined;
  const shown = depth === 0 ? sources.excerpt(frames) : undefined;
  const text = [...(shown ? [shown] : []), messageOf(thrown), ...frames].join('\n');
  const cause =
    thrown.cause !== undefined && depth < causesMax ? tracebackOf(thrown.cause, sources, depth + 1) : undefined;
  return cause === undefined ? text : `${text}\nCaused by: ${cause}`;
}

function hintOf(thrown) {
  const text = String(thrown?.message);
  if (thrown instanceof RangeError && /allocation failed|Invalid (typed )?array (buffer )?length/i.test(text))
    return 'the memory limit of a worker was reached; use less, or raise DAS_WORKER_MEMORY_MB';
  if (thrown instanceof RangeError && text.includes('call stack')) return 'nested too deeply';
  return undefined;
}

/** `sources`: the texts that the script's lines are read from. */
export function describe(thrown, sources, message) {
  const failure = { message: scrub(short(message ?? readable(thrown), messageChars)) };
  let traceback;
  let hint;
  try {
    traceback = message === undefined ? tracebackOf(thrown, sources) : undefined;
    hint = hintOf(thrown);
  } catch {
    // What a script throws may throw when it is looked at.
  }
  if (traceback !== undefined) failure.traceback = scrub(short(traceback, tracebackChars));
  if (hint !== undefined) failure.hint = hint;
  return failure;
}

const readable = (thrown) => (thrown instanceof NotJson ? thrown.message : messageOf(thrown));

export const isOurs = (thrown) => thrown instanceof NotJson;
