import { type Cancel, messageOf } from '@das/kernel';
import { type CustomTransportStrategy, type MessageHandler, Server } from '@nestjs/microservices';
import { isObservable, lastValueFrom } from 'rxjs';
import type { BusLog } from '../log.js';
import type { CallContext, ServiceBus } from '../ports/service-bus.js';
import type { BusExtras } from './decorators.js';

/** Serves a Nest application's controllers over a {@link ServiceBus}, which it does not close. Handlers are those decorated with `@Answers` and `@Hears`. */
export class BusStrategy extends Server implements CustomTransportStrategy {
  override readonly transportId = Symbol('das-bus');
  readonly #cancels: Cancel[] = [];

  /** `log`: told of failing listeners. @default Nest's logger, which is one for the whole process */
  constructor(
    private readonly bus: ServiceBus,
    private readonly log?: BusLog,
  ) {
    super();
  }

  /** Resolves (by `done`) when the bus knows every subscription. */
  listen(done: (error?: unknown) => void): void {
    this.#subscribeAll().then(() => done(), done);
  }

  close(): void {
    for (const cancel of this.#cancels.splice(0)) cancel();
  }

  /** Connection events are the bus's (`onConnection`); Nest has none of its own here. */
  on(): void {
    return undefined;
  }

  unwrap<T>(): T {
    return this.bus as T;
  }

  async #subscribeAll(): Promise<void> {
    await Promise.all([...this.messageHandlers].map(([pattern, handler]) => this.#subscribe(pattern, handler)));
  }

  async #subscribe(pattern: string, handler: MessageHandler): Promise<void> {
    const extras = handler.extras as Partial<Record<'operation' | 'announcement', unknown>> | undefined;
    if (!isBusExtras(extras)) {
      throw new TypeError(
        `the handler of ${pattern} lacks its contract: use @Answers(operation) or @Hears(announcement)`,
      );
    }
    const act = async (body: unknown, context: CallContext): Promise<unknown> => valueOf(await handler(body, context));
    if ('operation' in extras) {
      this.#cancels.push(await this.bus.answer(extras.operation, act));
      return;
    }
    const { announcement } = extras;
    this.#cancels.push(
      await this.bus.hear(announcement, (body, context) => {
        act(body, context).catch((error: unknown) => this.#failed(announcement.name, error));
      }),
    );
  }

  #failed(name: string, error: unknown): void {
    const message = `${name}: listener failed: ${messageOf(error)}`;
    if (this.log === undefined) this.logger.error(message);
    else this.log.error({ announcement: name, err: error }, message);
  }
}

const isBusExtras = (extras: object | undefined): extras is BusExtras =>
  extras !== undefined && ('operation' in extras || 'announcement' in extras);

/** With interceptors Nest hands back a stream. */
async function valueOf(result: unknown): Promise<unknown> {
  return isObservable(result) ? lastValueFrom(result, { defaultValue: undefined }) : result;
}
