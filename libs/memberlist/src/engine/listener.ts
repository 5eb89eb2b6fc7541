import type { WireFault } from '../core/codec/wire.js';
import type { MemberChange, NoteCode } from '../core/effects.js';
import type { Address, Member } from '../core/types.js';

/** Why something was dropped, for a log line; the code counts in a metric. */
export interface EngineNote {
  readonly code:
    NoteCode | `wire.${WireFault['code']}` | 'stream' | 'transport' | 'publicPlaintext' | 'pushPull' | 'internal';
  readonly detail: string;
  readonly peer?: Address;
}

/** What a running node tells. Called one at a time and in order; what it throws becomes a note. */
export interface EngineListener {
  member(change: MemberChange, member: Member): void;
  conflict(existing: Member, other: Member): void;
  userMessage(payload: Uint8Array): void;
  remoteState(payload: Uint8Array, join: boolean): void;
  probed(member: Member, rttMs: number, payload: Uint8Array): void;
  note(note: EngineNote): void;
}
