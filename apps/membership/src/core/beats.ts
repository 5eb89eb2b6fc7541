import { conflictEveryMs, strayBeatsMax } from './types.js';
import type { BeatFacts, Entry, MembersConfig, MembersEffect, MembersState, MembersStep, Mono } from './types.js';

/** A node said that it is here, or goodbye. */
export function onBeat(state: MembersState, beat: BeatFacts, own: boolean, now: Mono): MembersStep {
  const known = state.entries.get(beat.node);
  if (beat.node === state.config.self && !own)
    return known === undefined ? unchanged(state) : onNamesake(state, known, beat, now);
  if (known === undefined) return admit(state, beat, now);
  if (beat.incarnation < known.incarnation) return onStray(state, known, now);
  if (beat.incarnation > known.incarnation) return put(state, fresh(beat, now), true);
  // Goodbye is the last word of an incarnation: a beat that it overtook does not bring the node back.
  if (known.state === 'left') return unchanged(state);
  return refresh(state, known, beat, now);
}

function fresh(beat: BeatFacts, now: Mono): Entry {
  const { node, incarnation, version, rest, slots, leaving } = beat;
  const state = leaving ? 'left' : 'alive';
  return {
    node,
    state,
    incarnation,
    version,
    rest,
    slots,
    since: now,
    heardAt: now,
    strayBeats: 0,
    warnedAt: undefined,
  };
}

function refresh(state: MembersState, known: Entry, beat: BeatFacts, now: Mono): MembersStep {
  const next = beat.leaving ? 'left' : 'alive';
  const since = next === known.state ? known.since : now;
  const { version, rest, slots } = beat;
  const changed = next !== known.state || rest !== known.rest || slots !== known.slots || version !== known.version;
  return put(state, { ...known, state: next, version, rest, slots, since, heardAt: now }, changed);
}

/** Room for one more: the one that is gone for longest makes it. With none gone newcomers are refused, which is said once until someone fits again. */
function admit(state: MembersState, beat: BeatFacts, now: Mono): MembersStep {
  if (state.entries.size < state.config.membersMax) return put({ ...state, refused: 0 }, fresh(beat, now), true);
  const oldest = goneForLongest(state.entries.values());
  if (oldest === undefined) {
    const refused = state.refused + 1;
    const message = `more than ${state.config.membersMax} nodes: ${beat.node} is not admitted`;
    return { state: { ...state, refused }, effects: refused === 1 ? [{ kind: 'warn', node: beat.node, message }] : [] };
  }
  const entries = new Map(state.entries);
  entries.delete(oldest.node);
  const { state: next, effects } = put({ ...state, entries, refused: 0 }, fresh(beat, now), true);
  return { state: next, effects: [{ kind: 'forgotten', node: oldest.node }, ...effects] };
}

function goneForLongest(entries: Iterable<Entry>): Entry | undefined {
  let oldest: Entry | undefined;
  for (const entry of entries) {
    if (entry.state !== 'dead' && entry.state !== 'left') continue;
    if (oldest === undefined || entry.since < oldest.since) oldest = entry;
  }
  return oldest;
}

/** A beat of an incarnation that was replaced: late, or a second process with that name is running. */
function onStray(state: MembersState, known: Entry, now: Mono): MembersStep {
  const entry = { ...known, strayBeats: known.strayBeats + 1 };
  if (entry.strayBeats < strayBeatsMax) return put(state, entry, false);
  return warnOfNamesake(state, entry, now);
}

/** Someone else speaks with our name. Beats of our own past life may still be under way; those of a later start cannot be ours. */
function onNamesake(state: MembersState, known: Entry, beat: BeatFacts, now: Mono): MembersStep {
  if (beat.incarnation === known.incarnation) return unchanged(state);
  if (beat.incarnation < known.incarnation) return beat.leaving ? unchanged(state) : onStray(state, known, now);
  return warnOfNamesake(state, known, now);
}

function warnOfNamesake(state: MembersState, entry: Entry, now: Mono): MembersStep {
  if (entry.warnedAt !== undefined && now - entry.warnedAt < conflictEveryMs) return put(state, entry, false);
  const message = `two processes run as node ${entry.node}: give one of them another DAS_NODE, or stop it`;
  const { state: next } = put(state, { ...entry, warnedAt: now, strayBeats: 0 }, false);
  return { state: next, effects: [{ kind: 'warn', node: entry.node, message }] };
}

function put(state: MembersState, entry: Entry, changed: boolean): MembersStep {
  const entries = new Map(state.entries).set(entry.node, entry);
  const effects: MembersEffect[] = changed ? [{ kind: 'changed', entry }] : [];
  return { state: { ...state, entries }, effects };
}

const unchanged = (state: MembersState): MembersStep => ({ state, effects: [] });

/** @internal Checked at start: a member must be suspect before it is dead. */
export function checkConfig(config: Pick<MembersConfig, 'suspectMs' | 'deadMs'>): string | undefined {
  return config.suspectMs < config.deadMs ? undefined : 'DAS_MEMBER_SUSPECT_MS must be below DAS_MEMBER_DEAD_MS';
}
