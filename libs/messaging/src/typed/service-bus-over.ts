import { type Announcement, type Fault, type Operation, subjectFor } from '@das/contracts';
import type { Cancel, Clock, NodeId } from '@das/kernel';
import { type Tracer, context } from '@opentelemetry/api';
import { timedOut } from '../bus-faults.js';
import { decodeBody, encodeBody, encodeJson } from '../codec.js';
import { nextTry } from '../core/retry.js';
import { type BusLog, silent } from '../log.js';
import type { BusHandler, BusMessage, MessageBus, Subscription } from '../ports/message-bus.js';
import type { Answer, CallContext, ServiceBus } from '../ports/service-bus.js';
import { faultOfReply, toFault } from '../rpc.js';
import { type HearOptions, Numbering, hearing } from './announcements.js';
import { type OperationHandler, answering } from './answering.js';
import { Near } from './near.js';
import { SpanKind, currentTraceparent, traced } from './tracing.js';
import { type Outcome, Tries } from './tries.js';
import { validReply } from './validate.js';

/** Who speaks: `<node>/<service>` in envelopes; `service` is the queue its instances answer in. */
export interface BusIdentity {
  readonly node: NodeId;
  readonly service: string;
}

export interface CallOptions {
  readonly node?: NodeId;
  readonly raw?: Uint8Array;
  readonly timeoutMs?: number;
  readonly tryMs?: number;
}

/** A call gives up after this, tries included. */
export const callTimeoutMs = 5_000;
/** One try of a call waits this long for its answer. */
export const callTryMs = 2_000;

/** The typed bus of one service over any {@link MessageBus}, which it closes with itself. */
export class ServiceBusOver implements ServiceBus {
  readonly node: NodeId;
  readonly service: string;
  readonly #from: string;
  readonly #numbering: Numbering;
  readonly #log: BusLog;
  readonly #tracer: Tracer | undefined;
  readonly #near = new Near();
  #closed = false;

  constructor(
    private readonly bus: MessageBus,
    identity: BusIdentity,
    private readonly clock: Clock,
    private readonly newId: () => string,
    options: { readonly log?: BusLog; readonly tracer?: Tracer | undefined } = {},
  ) {
    this.node = identity.node;
    this.service = identity.service;
    this.#from = `${identity.node}/${identity.service}`;
    this.#numbering = new Numbering(newId());
    this.#log = options.log ?? silent;
    this.#tracer = options.tracer;
  }

  get connected(): boolean {
    return this.bus.connected;
  }

  onConnection(listener: (connected: boolean) => void): Cancel {
    return this.bus.onConnection(listener);
  }

  call<Request, Reply>(
    operation: Operation<Request, Reply>,
    body: Request,
    options: CallOptions = {},
  ): Promise<Answer<Reply>> {
    const tracer = this.#tracer;
    if (tracer === undefined) return this.#call(operation, body, options);
    return traced(tracer, operation.name, SpanKind.CLIENT, context.active(), () =>
      this.#call(operation, body, options),
    );
  }

  tell<Body>(announcement: Announcement<Body>, body: Body, options: { readonly node?: NodeId } = {}): void {
    const subject = subjectFor(announcement.subject, options.node ?? this.node);
    const envelope = { ...this.#envelope(announcement.name), ...this.#numbering.next(subject) };
    this.bus
      .publish({ subject, envelope, payload: encodeJson(body) })
      .catch((error: unknown) => this.#untold(announcement.name, toFault(error)));
  }

  async hear<Body>(
    announcement: Announcement<Body>,
    listener: (body: Body, context: CallContext) => void,
    options: HearOptions = {},
  ): Promise<Cancel> {
    const subject = subjectFor(announcement.subject, this.node);
    return this.#subscribe(subject, undefined, hearing(announcement, listener, options, this.#log));
  }

  async answer<Request, Reply>(
    operation: Operation<Request, Reply>,
    handler: OperationHandler<Request, Reply>,
  ): Promise<Cancel> {
    const subject = subjectFor(operation.subject, this.node);
    const queue = operation.queue ? this.service : undefined;
    const answer = answering(operation, handler, this.#tracer, this.#log);
    const cancel = await this.#subscribe(subject, queue, answer);
    if (operation.near === undefined) return cancel;
    const cancelNear = await this.#subscribe(subjectFor(operation.near, this.node), undefined, answer);
    return () => (cancel(), cancelNear());
  }

  /** Lets running handlers end, then closes the bus. */
  async close(): Promise<void> {
    await this.bus.close();
    this.#closed = true;
  }

  async #call<Request, Reply>(
    operation: Operation<Request, Reply>,
    body: Request,
    options: CallOptions,
  ): Promise<Answer<Reply>> {
    const message: BusMessage = {
      subject: subjectFor(operation.subject, options.node ?? this.node),
      envelope: this.#envelope(operation.name),
      ...encodeBody(body, options.raw),
    };
    const timeoutMs = options.timeoutMs ?? callTimeoutMs;
    const deadline = this.clock.monotonic() + timeoutMs;
    const tries = new Tries(this.clock);
    const near =
      options.node === undefined ? await this.#askNear(operation, message, timeoutMs, options, tries) : undefined;
    const reply = near ?? (await this.#ask(message, deadline, options, tries));
    const answer = decodeBody(reply.payload, reply.bodyBytes);
    return { body: validReply(operation.reply, answer.body, operation.name), raw: answer.raw };
  }

  /** One try with the instance on this node; `undefined` when there is none, or others may do better. At least half of the time is left for these. */
  async #askNear<Request, Reply>(
    operation: Operation<Request, Reply>,
    message: BusMessage,
    timeoutMs: number,
    { tryMs = callTryMs }: CallOptions,
    tries: Tries,
  ): Promise<BusMessage | undefined> {
    const subject = this.#near.subject(operation, this.node, this.clock.monotonic());
    if (subject === undefined) return undefined;
    tries.add(this.#try({ ...message, subject }, timeoutMs));
    const { reply, fault } = await this.#first(tries, message, Math.min(tryMs, timeoutMs / 2));
    if (fault === undefined) return reply;
    if (fault.code === 'BUS_UNAVAILABLE') return undefined;
    if (!this.#near.failed(operation.name, fault.code, this.clock.monotonic())) throw fault;
    return undefined;
  }

  /** The same message again and again, until an answer, a final fault, or the deadline. */
  async #ask(
    message: BusMessage,
    deadline: number,
    { tryMs = callTryMs }: CallOptions,
    tries: Tries,
  ): Promise<BusMessage> {
    for (let made = 1; ; made += 1) {
      const leftMs = deadline - this.clock.monotonic();
      tries.add(this.#try(message, leftMs));
      const outcome = await this.#first(tries, message, Math.min(tryMs, leftMs));
      if (outcome.fault === undefined) return outcome.reply;
      const next = nextTry(outcome.fault.code, made, deadline - this.clock.monotonic());
      if (!next.again || this.#closed) throw outcome.fault;
      const late = await tries.next(next.pauseMs);
      if (late !== undefined && late.fault === undefined) return late.reply;
    }
  }

  /** Of all tries so far, what comes first; that none does is a fault of the last one. */
  async #first(tries: Tries, message: BusMessage, patienceMs: number): Promise<Outcome> {
    const first = await tries.next(patienceMs);
    return first ?? { reply: message, fault: timedOut(message.subject, patienceMs) };
  }

  async #try(message: BusMessage, timeoutMs: number): Promise<Outcome> {
    try {
      const reply = await this.bus.request(message, { timeoutMs });
      return { reply, fault: faultOfReply(reply) };
    } catch (error) {
      return { reply: message, fault: toFault(error) };
    }
  }

  #envelope(type: string): BusMessage['envelope'] {
    const traceparent = currentTraceparent();
    const head = { id: this.newId(), type, from: this.#from, sentAt: this.clock.now() };
    return traceparent === undefined ? head : { ...head, traceparent };
  }

  async #subscribe(subject: string, queue: string | undefined, handler: BusHandler): Promise<Cancel> {
    const subscription = await this.bus.subscribe(subject, queue === undefined ? {} : { queue }, handler);
    return () => void closeQuietly(subscription, this.#log);
  }

  /** A lost connection is expected (announcements are hints); anything else is a defect worth a line. */
  #untold(name: string, fault: Fault): void {
    if (fault.code !== 'BUS_UNAVAILABLE') this.#log.warn({ announcement: name, err: fault }, 'announcement not sent');
  }
}

async function closeQuietly(subscription: Subscription, log: BusLog): Promise<void> {
  try {
    await subscription.close();
  } catch (error) {
    log.warn({ err: error }, 'subscription did not close');
  }
}
