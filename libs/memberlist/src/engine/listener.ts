import type { WireFault } from '../core/codec/wire.js';
import type { Effect, MemberChange, NoteCode } from '../core/effects.js';
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
  /** Broadcasts that wait, every `queueCheckIntervalMs`. */
  queueDepth?(waiting: number): void;
  note(note: EngineNote): void;
}

/** Effects that only have to be told. */
export type Notice = Exclude<
  Effect,
  { readonly kind: 'packet' | 'streamPing' | 'pushPull' | 'pinged' | 'broadcastDone' }
>;

/** Tells a listener what happened. */
export function tell(listener: EngineListener, notice: Notice): void {
  switch (notice.kind) {
    case 'member':
      return listener.member(notice.change, notice.member);
    case 'conflict':
      return listener.conflict(notice.existing, notice.other);
    case 'userMessage':
      return listener.userMessage(notice.payload);
    case 'remoteState':
      return listener.remoteState(notice.payload, notice.join);
    case 'probed':
      return listener.probed(notice.member, notice.rttMs, notice.payload);
    case 'queueDepth':
      return listener.queueDepth?.(notice.waiting);
    case 'mergeRefused':
      return listener.note({ code: 'mergeRefused', detail: notice.reason });
    case 'note':
      return listener.note({ code: notice.code, detail: notice.detail });
  }
}
