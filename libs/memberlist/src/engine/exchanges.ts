import type { StreamMessage } from '../core/codec/stream-message.js';
import type { Address } from '../core/types.js';
import { type Carrier, Exchange, type ExchangeResult } from './dialler.js';

/** One exchange over a stream, as the engine wants it. */
export interface ExchangeRequest {
  readonly to: Address;
  readonly message: StreamMessage;
  /** Absolute, ms of the clock. */
  readonly deadline: number;
  /** False: the message is all there is, as for user messages. */
  readonly awaitsAnswer: boolean;
}

/** The exchanges that we began and that have not ended. */
export class Exchanges {
  readonly #open = new Set<Exchange>();

  constructor(private readonly carrier: Carrier) {}

  begin(request: ExchangeRequest, done: (result: ExchangeResult) => void): void {
    const { to, message, deadline, awaitsAnswer } = request;
    const exchange: Exchange = new Exchange(this.carrier, to, message, deadline, awaitsAnswer, (result) => {
      this.#open.delete(exchange);
      done(result);
    });
    this.#open.add(exchange);
  }

  /** Ends them all; each is told that it failed. */
  abort(): void {
    for (const exchange of [...this.#open]) exchange.abort();
  }
}
