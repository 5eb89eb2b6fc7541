import type { Announcement } from '@das/contracts';
import { context } from '@opentelemetry/api';
import { decodeBody } from '../codec.js';
import { SenderSequences } from '../core/sender-sequences.js';
import type { BusLog } from '../log.js';
import type { BusMessage, Envelope } from '../ports/message-bus.js';
import type { CallContext } from '../ports/service-bus.js';
import { callContext } from './call-context.js';
import { remoteContext } from './tracing.js';
import { validRequest } from './validate.js';

/** Numbers one sender's announcements: `seq` counts per subject, and its own count is bounded by the contracts. */
export class Numbering {
  readonly #seqs = new Map<string, number>();

  constructor(private readonly epoch: string) {}

  next(subject: string): Pick<Envelope, 'epoch' | 'seq'> & { seq: number } {
    const seq = (this.#seqs.get(subject) ?? 0) + 1;
    this.#seqs.set(subject, seq);
    return { epoch: this.epoch, seq };
  }
}

export interface HearOptions {
  readonly onGap?: ((from: string) => void) | undefined;
}

/** Handler of one `hear`: drops duplicates and what does not fit its schema, reports gaps, keeps the order. */
export function hearing<Body>(
  announcement: Announcement<Body>,
  listener: (body: Body, context: CallContext) => void,
  options: HearOptions,
  log: BusLog,
): (message: BusMessage) => Promise<undefined> {
  const sequences = new SenderSequences();
  const home = context.active();
  return async (message) => {
    const { from, epoch, seq } = message.envelope;
    const heard = epoch === undefined || seq === undefined ? 'next' : sequences.heard(from ?? '?', epoch, seq);
    if (heard === 'duplicate') return undefined;
    try {
      const { body, raw } = decodeBody(message.payload, message.bodyBytes);
      const valid = validRequest(announcement.body, body, announcement.name);
      context.with(remoteContext(message.envelope.traceparent, home), () => {
        if (heard === 'gap') options.onGap?.(from ?? '?');
        listener(valid, callContext(message, raw, heard === 'gap'));
      });
    } catch (error) {
      log.warn({ announcement: announcement.name, from, err: error }, 'announcement dropped');
    }
    return undefined;
  };
}
