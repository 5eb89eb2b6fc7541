export type { BusHandler, BusMessage, Envelope, MessageBus, Reply, Subscription } from './ports/message-bus.js';
export type { Answer, CallContext, ServiceBus } from './ports/service-bus.js';
export type { EventLog, LoggedEvent } from './ports/event-log.js';
export type { BusLog } from './log.js';
export { type NatsOptions, connectNats } from './nats/connect.js';
export { NatsMessageBus } from './nats/nats-message-bus.js';
export { streamReplicas } from './nats/event-stream.js';
export { JetStreamEventLog } from './nats/jetstream-event-log.js';
export { MemoryHub } from './memory/hub.js';
export { MemoryBus } from './memory/bus.js';
export { MemoryEventLog } from './memory/event-log.js';
export {
  type BusIdentity,
  type CallOptions,
  ServiceBusOver,
  callTimeoutMs,
  callTryMs,
} from './typed/service-bus-over.js';
export { currentTraceparent, recordFailure, remoteContext } from './typed/tracing.js';
export { validRequest } from './typed/validate.js';
export { errorHeader, faultOf, problemOf, toFault } from './rpc.js';
export { Answers, Hears } from './nest/decorators.js';
export { BusStrategy } from './nest/bus-strategy.js';
