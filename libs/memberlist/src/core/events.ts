import type { Message } from './codec/message.js';
import type { PushPull } from './codec/stream-message.js';
import type { Address } from './types.js';

/** What happens to a node. */
export type NodeEvent =
  /** Once, first: the node announces itself at this address and starts to probe and gossip. */
  | { readonly kind: 'start'; readonly address: Address; readonly meta: Uint8Array }
  /** Time has come to `nextWake`. Early or late is fine. */
  | { readonly kind: 'wake' }
  /** One message of a datagram. */
  | { readonly kind: 'message'; readonly from: Address; readonly message: Message }
  /** The datagram of a probe could not be sent. */
  | { readonly kind: 'sendFailed'; readonly seqNo: number }
  | { readonly kind: 'streamPinged'; readonly seqNo: number; readonly answered: boolean }
  /** The other side of a push/pull, whoever dialled. */
  | { readonly kind: 'pushPull'; readonly remote: PushPull }
  /** A measured ping of one address; `id` comes back in `pinged`. */
  | { readonly kind: 'ping'; readonly to: Address; readonly node: string; readonly id: number }
  /** New attributes for ourselves; `token` comes back in `broadcastDone`. */
  | { readonly kind: 'update'; readonly meta: Uint8Array; readonly token: number }
  /** We leave on purpose; `token` comes back in `broadcastDone`. The node goes on answering until it is closed. */
  | { readonly kind: 'leave'; readonly token: number }
  /** Our own process stood still for this long: what seemed lost meanwhile is no evidence against others. */
  | { readonly kind: 'paused'; readonly lateMs: number };
