import { type TransitionTable, assertNever, move } from '@das/kernel';
import type { AttemptKey } from './attempt.js';

/** An output's way through the spool, from the moment its commit was not answered. */
export const spoolTransitions = {
  /** In memory; it goes to disk when there is room. Its attempt goes on asking the store by itself. */
  waiting: ['writing', 'gone'],
  /** In memory, and on its way to disk. */
  writing: ['kept', 'waiting', 'leaving'],
  /** It was judged, or is no longer wanted, while it was being written: its file goes as soon as it is there. */
  leaving: ['gone'],
  /** On disk only. */
  kept: ['asking', 'gone'],
  /** On disk; the store is being asked. */
  asking: ['kept', 'gone'],
  gone: [],
} as const satisfies TransitionTable<'waiting' | 'writing' | 'leaving' | 'kept' | 'asking' | 'gone'>;
type EntryState = keyof typeof spoolTransitions;

interface SpoolEntry {
  readonly state: EntryState;
  readonly bytes: number;
}

export interface SpoolBounds {
  readonly bytesMax: number;
  readonly filesMax: number;
}

/** Never changed in place. Times are of one monotonic clock (ms). */
export interface SpoolState {
  readonly bounds: SpoolBounds;
  /** In the order in which the store is asked. */
  readonly entries: ReadonlyMap<AttemptKey, SpoolEntry>;
  /** The disk refused the last write. */
  readonly disk: { readonly why: string; readonly pauseMs: number; readonly until: number } | undefined;
  /** The store did not answer last time: one output at a time asks whether it is back. */
  readonly away: { readonly pauseMs: number; readonly until: number } | undefined;
}

export type SpoolEvent =
  /** A commit that was not answered at once. */
  | { readonly kind: 'offered'; readonly key: AttemptKey; readonly bytes: number }
  /** A file of an earlier life of this service. */
  | { readonly kind: 'found'; readonly key: AttemptKey; readonly bytes: number }
  | { readonly kind: 'written'; readonly key: AttemptKey }
  | { readonly kind: 'notWritten'; readonly key: AttemptKey; readonly why: string }
  /** The store has judged it, or nobody wants it any more. */
  | { readonly kind: 'over'; readonly key: AttemptKey }
  | { readonly kind: 'unanswered'; readonly key: AttemptKey }
  | { readonly kind: 'tick' };

export type SpoolEffect =
  | { readonly kind: 'write'; readonly key: AttemptKey }
  /** It is on disk: what memory has of it may go, and its attempt asks no more. */
  | { readonly kind: 'handOver'; readonly key: AttemptKey }
  | { readonly kind: 'ask'; readonly key: AttemptKey }
  | { readonly kind: 'remove'; readonly key: AttemptKey };

export interface SpoolStep {
  readonly state: SpoolState;
  readonly effects: readonly SpoolEffect[];
  /** When a `tick` has something to do; absent: nothing waits for time. */
  readonly wakeAt: number | undefined;
}

/** Outputs that are read and sent at the same time while the store answers; each is in memory meanwhile. */
export const asksMax = 4;
/** Pauses after a refusal double from the first to the longest (ms). */
export const askPauseMs = { first: 50, longest: 2_000 } as const;
export const diskPauseMs = { first: 1_000, longest: 15_000 } as const;

export const newSpool = (bounds: SpoolBounds): SpoolState => ({
  bounds,
  entries: new Map(),
  disk: undefined,
  away: undefined,
});

/** One decision: what goes to disk, and whose commit is asked for, in order. An event about an unknown output changes nothing. */
export function spoolStep(state: SpoolState, event: SpoolEvent, now: number): SpoolStep {
  const { state: heard, effects } = hear(state, event, now);
  const writing = startWrites(heard, now);
  const asking = startAsks(writing.state, now);
  const next = asking.state;
  return { state: next, effects: [...effects, ...writing.effects, ...asking.effects], wakeAt: wakeAt(next, now) };
}

type Part = Omit<SpoolStep, 'wakeAt'>;
const quiet = (state: SpoolState): Part => ({ state, effects: [] });

function hear(state: SpoolState, event: SpoolEvent, now: number): Part {
  switch (event.kind) {
    case 'offered':
      return quiet(state.entries.has(event.key) ? state : added(state, event, 'waiting'));
    case 'found':
      return quiet(added(state, event, 'kept'));
    case 'written':
      return written(state, event.key);
    case 'notWritten':
      return notWritten(state, event.key, event.why, now);
    case 'over':
      return over(state, event.key);
    case 'unanswered':
      return quiet(unanswered(state, event.key, now));
    case 'tick':
      return quiet(state);
    default:
      return assertNever(event);
  }
}

function written(before: SpoolState, key: AttemptKey): Part {
  const at = before.entries.get(key)?.state;
  const state = { ...before, disk: undefined };
  if (at === undefined) return quiet(state);
  if (at === 'leaving') return { state: moved(state, key, 'gone'), effects: [{ kind: 'remove', key }] };
  return { state: moved(state, key, 'kept'), effects: [{ kind: 'handOver', key }] };
}

function notWritten(state: SpoolState, key: AttemptKey, why: string, now: number): Part {
  const disk = { why, ...pauseAfter(state.disk, diskPauseMs, now) };
  const left = state.entries.get(key)?.state === 'leaving';
  return quiet({ ...moved(state, key, left ? 'gone' : 'waiting'), disk });
}

function over(before: SpoolState, key: AttemptKey): Part {
  const entry = before.entries.get(key);
  if (entry === undefined || entry.state === 'leaving') return quiet(before);
  // It may have been dropped instead of answered: then the next question finds the store away again.
  const state = { ...moved(before, key, entry.state === 'writing' ? 'leaving' : 'gone'), away: undefined };
  if (entry.state === 'writing') return quiet(state);
  return { state, effects: entry.state === 'waiting' ? [] : [{ kind: 'remove', key }] };
}

/** Others go first next time: one that the store cannot take must not stand in their way. */
function unanswered(state: SpoolState, key: AttemptKey, now: number): SpoolState {
  const entry = state.entries.get(key);
  if (entry?.state !== 'asking') return state;
  const entries = new Map(moved(state, key, 'kept').entries);
  entries.delete(key);
  entries.set(key, { ...entry, state: 'kept' });
  return { ...state, entries, away: pauseAfter(state.away, askPauseMs, now) };
}

/** One write at a time: a disk that is short of room is asked gently, and in order. */
function startWrites(state: SpoolState, now: number): Part {
  if ((state.disk !== undefined && now < state.disk.until) || countOf(state, 'writing', 'leaving') > 0)
    return quiet(state);
  const next = [...state.entries].find(([, { state: at, bytes }]) => at === 'waiting' && hasRoom(state, bytes));
  if (next === undefined) return quiet(state);
  return { state: moved(state, next[0], 'writing'), effects: [{ kind: 'write', key: next[0] }] };
}

function startAsks(before: SpoolState, now: number): Part {
  let state = before;
  const effects: SpoolEffect[] = [];
  if (state.away !== undefined && now < state.away.until) return quiet(state);
  let free = (state.away === undefined ? asksMax : 1) - countOf(state, 'asking');
  for (const [key, entry] of before.entries) {
    if (free <= 0) break;
    if (entry.state !== 'kept') continue;
    state = moved(state, key, 'asking');
    effects.push({ kind: 'ask', key });
    free -= 1;
  }
  return { state, effects };
}

/** What could be done by now was done: only what lies ahead is worth waking for. */
function wakeAt(state: SpoolState, now: number): number | undefined {
  const disk = countOf(state, 'waiting') > 0 ? state.disk?.until : undefined;
  const away = countOf(state, 'kept') > 0 ? state.away?.until : undefined;
  const ahead = [disk, away].filter((at) => at !== undefined && at > now) as number[];
  return ahead.length === 0 ? undefined : Math.min(...ahead);
}

/** An output that is larger than the whole spool never has room; it waits in memory. */
const hasRoom = (state: SpoolState, bytes: number): boolean =>
  spooledBytes(state) + bytes <= state.bounds.bytesMax && spooledFiles(state) < state.bounds.filesMax;

const onDisk: ReadonlySet<EntryState> = new Set(['writing', 'leaving', 'kept', 'asking']);

/** Bytes on disk, or on their way to it. */
export function spooledBytes(state: SpoolState): number {
  let bytes = 0;
  for (const entry of state.entries.values()) if (onDisk.has(entry.state)) bytes += entry.bytes;
  return bytes;
}

export function spooledFiles(state: SpoolState): number {
  let files = 0;
  for (const entry of state.entries.values()) if (onDisk.has(entry.state)) files += 1;
  return files;
}

/** Why outputs stay in memory although they should be on disk, if they do. */
export function spoolTrouble(state: SpoolState): 'full' | { readonly why: string } | undefined {
  if (countOf(state, 'waiting') === 0) return undefined;
  if (state.disk !== undefined) return { why: state.disk.why };
  return countOf(state, 'writing', 'leaving') > 0 ? undefined : 'full';
}

/** Whether it is safe on disk. */
export const isSpooled = (state: SpoolState, key: AttemptKey): boolean => {
  const at = state.entries.get(key)?.state;
  return at === 'kept' || at === 'asking';
};

function countOf(state: SpoolState, ...wanted: EntryState[]): number {
  let count = 0;
  for (const entry of state.entries.values()) if (wanted.includes(entry.state)) count += 1;
  return count;
}

function added(state: SpoolState, { key, bytes }: { key: AttemptKey; bytes: number }, at: EntryState): SpoolState {
  return { ...state, entries: new Map(state.entries).set(key, { state: at, bytes }) };
}

function moved(state: SpoolState, key: AttemptKey, to: EntryState): SpoolState {
  const entry = state.entries.get(key);
  if (entry === undefined) return state;
  const next = move<EntryState, SpoolEntry>(spoolTransitions, entry, to, 'spool');
  const entries = new Map(state.entries);
  if (to === 'gone') entries.delete(key);
  else entries.set(key, next);
  return { ...state, entries };
}

function pauseAfter(
  before: { readonly pauseMs: number } | undefined,
  { first, longest }: { readonly first: number; readonly longest: number },
  now: number,
): { pauseMs: number; until: number } {
  const pauseMs = before === undefined ? first : Math.min(before.pauseMs * 2, longest);
  return { pauseMs, until: now + pauseMs };
}
