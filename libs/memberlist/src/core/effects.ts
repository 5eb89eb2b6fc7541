import type { Address, Member } from './types.js';

/** What changed about a member. `refute`: it was suspect and is not any more. */
export type MemberChange = 'join' | 'leave' | 'update' | 'suspect' | 'refute';

/** Words for log lines and metrics about what a node noticed and otherwise ignores. */
export type NoteCode =
  | 'aliveRefused'
  | 'addressRefused'
  | 'badMember'
  | 'badVersions'
  | 'tableFull'
  | 'wrongNode'
  | 'relaysFull'
  | 'mergeRefused'
  | 'versionMismatch'
  | 'udpBroken'
  | 'probeFailed'
  | 'refuted'
  | 'paused'
  | 'unknownAck'
  | 'remoteError';

/** What a step asks its caller to do, in this order. Intentions: the caller knows sockets and callbacks. */
export type Effect =
  /** Send these as one datagram (or as few as they fit into), with a checksum if `crc`. `probe`: tell the core when sending fails. */
  | {
      readonly kind: 'packet';
      readonly to: Address;
      readonly messages: readonly Uint8Array[];
      readonly crc: boolean;
      readonly probe?: number;
    }
  /** Ping over a stream and answer with the event `streamPinged`. */
  | {
      readonly kind: 'streamPing';
      readonly to: Address;
      readonly node: string;
      readonly seqNo: number;
      readonly deadline: number;
    }
  /** Exchange the whole state over a stream; what comes back is an event `pushPull`. */
  | { readonly kind: 'pushPull'; readonly to: Address; readonly node: string }
  /** A member changed. Never before an effect that an earlier change caused. */
  | { readonly kind: 'member'; readonly change: MemberChange; readonly member: Member }
  /** Another node claims a member's name. */
  | { readonly kind: 'conflict'; readonly existing: Member; readonly other: Member }
  | { readonly kind: 'userMessage'; readonly payload: Uint8Array }
  | { readonly kind: 'remoteState'; readonly payload: Uint8Array; readonly join: boolean }
  /** A probe was answered directly. */
  | { readonly kind: 'probed'; readonly member: Member; readonly rttMs: number; readonly payload: Uint8Array }
  /** Result of the event `ping`; without a time there was no answer. */
  | { readonly kind: 'pinged'; readonly id: number; readonly rttMs: number | undefined }
  /** A broadcast with this token was sent as often as it will be. */
  | { readonly kind: 'broadcastDone'; readonly token: number }
  /** How many broadcasts wait: a queue that grows tells more is said than can be passed on. */
  | { readonly kind: 'queueDepth'; readonly waiting: number }
  /** A merge was refused whole. */
  | { readonly kind: 'mergeRefused'; readonly reason: string; readonly join: boolean }
  | { readonly kind: 'note'; readonly code: NoteCode; readonly detail: string };
