import type { NodeId } from '@das/kernel';
import type { Mono, OfficeState } from '../types.js';

/** The holder of `round` leads no more; the one it is sent to may take the record at once. */
export interface LeaseMessage {
  readonly kind: 'handOver';
  readonly from: NodeId;
  readonly nonce: string;
  readonly round: number;
}

/** The record of who leads, in the bucket. `n` grows with each write of its holder, so that each write is a change that others see. */
export interface LeaseRecord {
  readonly leader: NodeId;
  /** The holder's process: the same node in its next life is another. */
  readonly nonce: string;
  /** 0 while it is only a claim. */
  readonly round: number;
  readonly n: number;
  readonly state: 'claim' | 'held';
}

/** Revision 0: there must be none yet. */
export type KvAsk =
  | { readonly op: 'readRecord' }
  | { readonly op: 'writeRecord'; readonly record: LeaseRecord; readonly rev: number }
  | { readonly op: 'readCounter' }
  | { readonly op: 'writeCounter'; readonly round: number; readonly rev: number };

export type KvResult =
  | { readonly kind: 'record'; readonly entry: { readonly record: LeaseRecord; readonly rev: number } | undefined }
  | { readonly kind: 'counter'; readonly entry: { readonly round: number; readonly rev: number } | undefined }
  | { readonly kind: 'written'; readonly rev: number }
  /** The revision was another: nothing was written. */
  | { readonly kind: 'conflict' }
  /** No answer in time, or no bucket: a write may have happened. */
  | { readonly kind: 'failed' };

/** What was last read, and since when it is the same by our own clock. `rev` 0: there was no record. */
export interface Sighting {
  readonly rev: number;
  readonly record: LeaseRecord | undefined;
  readonly since: Mono;
}

/** Taking the record: first the claim, then the counter, then the stamp. */
export interface Taking {
  readonly stage: 'claim' | 'readCounter' | 'writeCounter' | 'stamp';
  /** The answer to a write was lost: the record is read to see whether it arrived. */
  readonly unsure: boolean;
  readonly rev: number;
  readonly n: number;
  readonly round: number;
  /** When the last write was sent. */
  readonly askedAt: Mono;
  readonly retries: number;
}

export interface Holding {
  readonly rev: number;
  readonly n: number;
  readonly round: number;
  readonly until: Mono;
  /** When the write of the next number was first sent; it may have arrived since, though nobody said so. */
  readonly triedSince: Mono | undefined;
}

export interface LeaseState extends OfficeState {
  readonly asks: number;
  /** The ask in flight: at most one. */
  readonly asked: { readonly id: number; readonly ask: KvAsk; readonly at: Mono } | undefined;
  readonly seen: Sighting | undefined;
  /** A record was read at least once: if there is none now, the bucket forgot it, and its holder may not know yet. */
  readonly recordKnown: boolean;
  readonly taking: Taking | undefined;
  readonly holding: Holding | undefined;
  /** A holder of that round named this node: its record may be taken at once. */
  readonly invited: { readonly nonce: string; readonly round: number } | undefined;
  /** Highest round ever read; the counter is healed upward by it and by the store's term. */
  readonly roundSeen: number;
}
