import type { Member, MemberState } from '@das/contracts';
import { assertNever } from '@das/kernel';
import type { NodeId } from '@das/kernel';
import { onBeat } from './beats.js';
import type { Entry, MembersConfig, MembersEffect, MembersEvent, MembersState, MembersStep, Mono } from './types.js';

/** Nobody known, not even the own node: its own first beat makes it a member. */
export function initialMembers(config: MembersConfig): MembersState {
  return { config, entries: new Map(), lastTick: undefined, deaf: false, refused: 0 };
}

/**
 * Members by heartbeats: `alive` → `suspect` → `dead` by silence, `left` by goodbye, `alive` again by a beat.
 * Nobody is judged by the deaf: silence while the own connection is lost, or the own process stands still, counts for nothing.
 */
export function step(state: MembersState, event: MembersEvent, now: Mono): MembersStep {
  switch (event.kind) {
    case 'beat':
      return onBeat(state, event.beat, event.own, now);
    case 'tick':
      return onTick(state, now);
    case 'deaf':
      return { state: { ...state, deaf: true }, effects: [] };
    case 'hearing':
      return { state: { ...excused(state, now), deaf: false }, effects: [] };
    default:
      return assertNever(event);
  }
}

function onTick(state: MembersState, now: Mono): MembersStep {
  const { tickMs, lateMs } = state.config;
  const late = state.lastTick !== undefined && now - state.lastTick > tickMs + lateMs;
  const next = { ...(late ? excused(state, now) : state), lastTick: now };
  return next.deaf ? { state: next, effects: [] } : judged(next, now);
}

/** Everyone gets one full timeout from now: what they said meanwhile may not have been read. */
function excused(state: MembersState, now: Mono): MembersState {
  const entries = new Map([...state.entries].map(([node, entry]) => [node, { ...entry, heardAt: now }] as const));
  return { ...state, entries };
}

function judged(state: MembersState, now: Mono): MembersStep {
  const effects: MembersEffect[] = [];
  const entries = new Map<NodeId, Entry>();
  for (const [node, entry] of state.entries) {
    if (isForgotten(entry, state.config, now)) {
      effects.push({ kind: 'forgotten', node });
      continue;
    }
    const verdict = node === state.config.self ? entry.state : judge(entry, state.config, now);
    const next = verdict === entry.state ? entry : { ...entry, state: verdict, since: now };
    entries.set(node, next);
    if (next !== entry) effects.push({ kind: 'changed', entry: next });
  }
  return { state: { ...state, entries }, effects };
}

function judge(entry: Entry, config: MembersConfig, now: Mono): MemberState {
  const silent = now - entry.heardAt;
  if (entry.state === 'alive' && silent >= config.suspectMs) return 'suspect';
  if (entry.state === 'suspect' && silent >= config.deadMs) return 'dead';
  return entry.state;
}

const isForgotten = (entry: Entry, config: MembersConfig, now: Mono): boolean =>
  (entry.state === 'dead' || entry.state === 'left') &&
  now - entry.since >= config.forgetMs &&
  entry.node !== config.self;

/** A member as others are told of it. */
export function memberOf(entry: Entry, now: Mono): Member {
  const { node, state, incarnation, rest, slots, version } = entry;
  return { node, state, incarnation, rest, slots, version, sinceMs: Math.max(0, now - entry.since) };
}
