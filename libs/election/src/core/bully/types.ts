import type { NodeId } from '@das/kernel';
import type { Mono, OfficeState } from '../types.js';

export interface BullyState extends OfficeState {
  /** Node → until when it is not asked. */
  readonly ignored: ReadonlyMap<NodeId, Mono>;
  readonly rounds: number;
  readonly election:
    { readonly round: string; readonly asked: ReadonlySet<NodeId>; readonly objected: ReadonlySet<NodeId> } | undefined;
  /** Since when this node, able to lead, has followed a leader that it outranks. */
  readonly outranksSince:
    { readonly leader: NodeId; readonly at: Mono; readonly askedAt: Mono | undefined } | undefined;
  /** Higher-ranked nodes that asked this leader for the lead, and when. */
  readonly askers: ReadonlyMap<NodeId, Mono>;
}

export type BullyMessage =
  | {
      readonly kind: 'election';
      readonly from: NodeId;
      readonly round: string;
      /** The caller is not well: everyone outranks it. */
      readonly yields?: boolean | undefined;
      /** To a leader: "I outrank you and have been able to lead for a while". */
      readonly preempt?: boolean | undefined;
    }
  | {
      readonly kind: 'ok';
      readonly from: NodeId;
      readonly round: string;
      readonly leader?: { readonly node: NodeId; readonly term: number } | undefined;
    };
