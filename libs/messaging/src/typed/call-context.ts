import type { BusMessage } from '../ports/message-bus.js';
import type { CallContext } from '../ports/service-bus.js';

/** What a handler is told of a message besides its body. */
export function callContext(message: BusMessage, raw: Uint8Array, gap = false): CallContext {
  const { from, traceparent, id } = message.envelope;
  return { from: from ?? '?', raw, traceparent, id: id ?? '', ...(gap ? { gap } : {}) };
}
