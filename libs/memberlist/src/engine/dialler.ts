import { labelHeader } from '../core/codec/label.js';
import { type StreamMessage, encodeStream } from '../core/codec/stream-message.js';
import { StreamReader } from '../core/codec/stream-reader.js';
import type { Wire } from '../core/codec/wire.js';
import type { Address } from '../core/types.js';
import type { Cancel, Clock } from '../ports/clock.js';
import type { Stream, Transport } from '../ports/transport.js';

/** How an exchange over a stream ended. */
export type ExchangeResult =
  { readonly ok: true; readonly answer: StreamMessage | undefined } | { readonly ok: false; readonly problem: string };

/** What an exchange needs of its node. */
export interface Carrier {
  readonly transport: Transport;
  readonly clock: Clock;
  readonly wire: Wire;
}

/** One exchange that we begin: a stream, our message, perhaps an answer, within an absolute deadline. */
export class Exchange {
  readonly #stream: Stream;
  readonly #cancelDeadline: Cancel;
  #done = false;

  /** `awaitsAnswer` false: the message is all there is, as for user messages. */
  constructor(
    { transport, clock, wire }: Carrier,
    to: Address,
    message: StreamMessage,
    deadline: number,
    awaitsAnswer: boolean,
    private readonly finished: (result: ExchangeResult) => void,
  ) {
    const reader = new StreamReader(wire, 'listener');
    this.#stream = transport.dial(to, {
      data: (bytes) => {
        const progress = reader.feed(bytes);
        if (progress.kind === 'message') this.#finish(answered(progress.message));
        else if (progress.kind === 'fault') this.#finish({ ok: false, problem: progress.fault.detail });
      },
      closed: ({ reason, refused }) => {
        if (!awaitsAnswer && refused !== true && reason === undefined) this.#finish({ ok: true, answer: undefined });
        else this.#finish({ ok: false, problem: reason ?? 'the remote closed the stream without an answer' });
      },
    });
    this.#cancelDeadline = clock.at(deadline, () => this.#finish({ ok: false, problem: 'timed out' }));
    const header = labelHeader(wire.label);
    if (header.length > 0) this.#stream.send(header);
    this.#stream.send(encodeStream(message, wire));
  }

  /** Gives up; the result is a failure. */
  abort(): void {
    this.#finish({ ok: false, problem: 'the node was closed' });
  }

  #finish(result: ExchangeResult): void {
    if (this.#done) return;
    this.#done = true;
    this.#cancelDeadline();
    this.#stream.close();
    this.finished(result);
  }
}

function answered(message: StreamMessage): ExchangeResult {
  if (message.kind === 'error') return { ok: false, problem: `remote error: ${message.error}` };
  return { ok: true, answer: message };
}
