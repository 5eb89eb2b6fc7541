import type { Announcement, Operation } from '@das/contracts';
import type { Cancel, NodeId } from '@das/kernel';

export interface Answer<Body> {
  readonly body: Body;
  /** The raw block behind the body; empty when there is none. */
  readonly raw: Uint8Array;
}

/** What a handler is told besides the body. */
export interface CallContext {
  readonly from: string;
  readonly raw: Uint8Array;
  readonly traceparent: string | undefined;
  readonly id: string;
  /** An announcement before this one was lost, or its sender restarted: re-read the truth. */
  readonly gap?: boolean;
}

/** The typed side of the bus, one per service: bodies are validated both ways, envelopes made, traces carried, sequence numbers kept. */
export interface ServiceBus {
  readonly node: NodeId;
  readonly service: string;
  readonly connected: boolean;
  onConnection(listener: (connected: boolean) => void): Cancel;
  /**
   * Asks, and repeats with the same id on a lost answer until `timeoutMs` is over (each try at most `tryMs`).
   * @throws Fault of the answering service, or SERVICE_UNAVAILABLE | REQUEST_TIMEOUT | BUS_UNAVAILABLE | PAYLOAD_TOO_LARGE.
   */
  call<Request, Reply>(
    operation: Operation<Request, Reply>,
    body: Request,
    options?: {
      readonly node?: NodeId;
      readonly raw?: Uint8Array;
      readonly timeoutMs?: number;
      readonly tryMs?: number;
    },
  ): Promise<Answer<Reply>>;
  /**
   * Tells everyone, or with an announcement to one node that node's services (`node`; its own when absent); lost when nobody listens.
   * Never throws for a lost connection: announcements are hints.
   */
  tell<Body>(announcement: Announcement<Body>, body: Body, options?: { readonly node?: NodeId }): void;
  /** Hears an announcement (one to a node: of its own node), duplicates dropped. `onGap`: something of this sender was lost (or it restarted): re-read the truth. */
  hear<Body>(
    announcement: Announcement<Body>,
    listener: (body: Body, context: CallContext) => void,
    options?: { readonly onGap?: (from: string) => void },
  ): Promise<Cancel>;
  /** Answers an operation directly, for hot paths and tests; services use Nest controllers with `@Answers(operation)`. */
  answer<Request, Reply>(
    operation: Operation<Request, Reply>,
    handler: (body: Request, context: CallContext) => Promise<Reply | Answer<Reply>>,
  ): Promise<Cancel>;
  close(): Promise<void>;
}
