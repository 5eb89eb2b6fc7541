import type { Failure, PartKind } from '@das/contracts';
import type { Bounds, LimitKind, LimitWords } from './bounds.js';

/** How a process ended: exactly one of the two is set. */
export interface Exit {
  readonly code: number | null;
  readonly signal: string | null;
}

/** The worker said what it never says: a script wrote into its channel. Nothing that follows can be believed. */
export const tampered = (why: string): Exit => ({ code: null, signal: `${faultPrefix}${why.slice(0, faultChars)}` });
const faultPrefix = 'protocol fault: ';
const faultChars = 200;
const isTampered = (signal: string | null): boolean => signal?.startsWith(faultPrefix) ?? false;

/** What a worker may say of a failure that is none of a script's functions. */
export const scriptFailureCodes = ['COMMAND_FAILED', 'COMMAND_UNFIT', 'ITEM_LIMIT'] as const;
export type ScriptFailureCode = (typeof scriptFailureCodes)[number];

/** What a script's function did wrong, in the words of the runtime. */
export interface ScriptFailure {
  /** Absent: what `raised` or `notImported` say. */
  readonly code?: ScriptFailureCode | undefined;
  readonly message: string;
  readonly traceback?: string | undefined;
  readonly hint?: string | undefined;
  readonly itemText?: string | undefined;
  /** A limit of the worker's group may be behind it, which the worker cannot see. */
  readonly unexplained?: boolean | undefined;
}

/** What a part is to its user: a hook has the name of its function. */
export type PartWord = Exclude<PartKind, 'hook'> | 'on_success' | 'on_failure';

const stepName = (kind: PartWord, item: number): string => (kind === 'map' ? `item ${item}` : kind);

/** The worker ended by itself, or was ended by the system, while it was at an item. */
export function crashed(kind: PartWord, item: number, exit: Exit): Failure {
  return { code: 'ITEM_CRASHED', message: `${stepName(kind, item)}: ${exitWords(exit)}`, hint: exitHint(exit) };
}

function exitWords({ code, signal }: Exit): string {
  if (signal === 'SIGKILL') return 'the worker process was killed by SIGKILL (out of memory?)';
  if (isTampered(signal)) return `the worker process was ended: ${signal}`;
  if (signal !== null) return `the worker process was killed by ${signal}`;
  return `the worker process ended with exit code ${code ?? '?'}`;
}

function exitHint({ signal }: Exit): string {
  if (signal === 'SIGKILL') return 'use less memory per item, or look into the system log of the node';
  if (isTampered(signal)) return 'do not write to file descriptor 3: the worker talks to the node by it';
  if (signal === null) return 'return from the function instead of ending the process';
  return 'a native extension may have failed';
}

/** Why its worker is gone, as far as it is known beside the exit itself. */
export interface GoneBecause {
  /** We ended it. */
  readonly ended?: 'stuck' | LimitKind | undefined;
  /** The system ended something of it for want of memory. */
  readonly memory: boolean;
  readonly timeoutMs: number | undefined;
}

/** The failure of the item that a worker was at when it went. */
export function goneReason(
  kind: PartWord,
  item: number,
  exit: Exit,
  { ended, memory, timeoutMs }: GoneBecause,
  words: Bounds['words'],
): Failure {
  if (ended === 'stuck') return timedOut(kind, item, timeoutMs ?? 0);
  const limit = ended ?? (memory ? 'memory' : signalled[exit.signal ?? '']);
  return limit === undefined ? crashed(kind, item, exit) : exceeded(kind, item, words[limit]);
}
const signalled: Readonly<Record<string, LimitKind>> = { SIGXCPU: 'cpu', SIGXFSZ: 'file' };

/** A limit of the job struck. */
export const exceeded = (kind: PartWord, item: number, { message, hint }: LimitWords): Failure => ({
  code: 'ITEM_LIMIT',
  message: `${stepName(kind, item)}: ${message}`,
  hint,
});

/** A failure of an item that a limit of the worker's group may be behind, when that has struck meanwhile. */
export function explained(
  item: number,
  failure: ScriptFailure,
  struck: { readonly memory: boolean; readonly processes: boolean },
  words: Bounds['words'],
): Failure {
  const told = raised(failure);
  const limit = struck.memory ? 'memory' : struck.processes ? 'processes' : undefined;
  if (limit === undefined) return told;
  const why = exceeded('map', item, words[limit]);
  return { ...told, ...why, message: `${why.message}: ${told.message}` };
}

/** No progress for as long as the job allows. */
export function timedOut(kind: PartWord, item: number, timeoutMs: number): Failure {
  return {
    code: 'ITEM_TIMEOUT',
    message: `${stepName(kind, item)}: no progress for ${seconds(timeoutMs)} s; raise --timeout`,
    hint: 'raise --timeout, or call das.progress() while a long item makes progress',
  };
}

/** Importing the script took longer than it may. */
export function importTimedOut(timeoutMs: number): Failure {
  return {
    code: 'ITEM_TIMEOUT',
    message: `the script was not imported within ${seconds(timeoutMs)} s; raise --timeout`,
    hint: 'move work out of the top level of the script, into split or map',
  };
}

const seconds = (ms: number): string => String(Math.round(ms / 100) / 10);

/** A function of the script raised, or its result cannot be told. */
export const raised = (failure: ScriptFailure): Failure => coded('ITEM_RAISED', failure);
/** The script cannot be imported: no node could. */
export const notImported = (failure: ScriptFailure): Failure => coded('SCRIPT_IMPORT', failure);

const coded = (otherwise: string, { code, message, traceback, hint, itemText }: ScriptFailure): Failure => ({
  code: code ?? otherwise,
  message,
  ...(traceback === undefined ? {} : { traceback }),
  ...(hint === undefined ? {} : { hint }),
  ...(itemText === undefined ? {} : { itemText }),
});
