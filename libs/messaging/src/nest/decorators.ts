import type { Announcement, Operation } from '@das/contracts';
import { UseFilters } from '@nestjs/common';
import { Ctx, EventPattern, MessagePattern, Payload } from '@nestjs/microservices';
import type { Answer, CallContext } from '../ports/service-bus.js';
import { FaultFilter } from './fault-filter.js';

/** What the strategy finds at a handler: the contract it serves. */
export type BusExtras =
  { readonly operation: Operation<unknown, unknown> } | { readonly announcement: Announcement<unknown> };

type Method<Body, Result> = (body: Body, context: CallContext) => Result;
type TypedDecorator<Body, Result> = <M extends Method<Body, Result>>(
  target: object,
  key: string | symbol,
  descriptor: TypedPropertyDescriptor<M>,
) => void;
type MaybePromise<T> = T | Promise<T>;

/**
 * The controller's method `(body, context)` answers an operation: by a body, or by `{ body, raw }`. What it throws crosses the bus as a Fault.
 * It may run twice for one request, and several at a time.
 */
export function Answers<Request, Reply>(
  operation: Operation<Request, Reply>,
): TypedDecorator<Request, MaybePromise<Reply | Answer<Reply>>> {
  return served(MessagePattern(operation.subject, { operation }));
}

/**
 * The controller's method `(body, context)` hears an announcement; `context.gap` says that something before it was lost.
 * `onGap`: called before it then, with the controller as `this`.
 */
export function Hears<Body>(
  announcement: Announcement<Body>,
  options: { readonly onGap?: (this: never, from: string) => void } = {},
): TypedDecorator<Body, unknown> {
  const { onGap } = options;
  const pattern = served(EventPattern(announcement.subject, { announcement }) as MethodDecorator);
  return (target, key, descriptor) => {
    if (onGap !== undefined) callOnGap(descriptor, onGap);
    pattern(target, key, descriptor);
  };
}

/** The pattern, our filter, and the arguments: without the last, Nest passes the body alone. */
function served(pattern: MethodDecorator): MethodDecorator {
  return (target, key, descriptor) => {
    pattern(target, key, descriptor);
    UseFilters(FaultFilter)(target, key, descriptor);
    Payload()(target, key, 0);
    Ctx()(target, key, 1);
  };
}

/** Wraps the method; decorators written below keep their metadata. */
function callOnGap(descriptor: PropertyDescriptor, onGap: (this: never, from: string) => void): void {
  const method = descriptor.value as Method<unknown, unknown>;
  const wrapped = function (this: never, body: unknown, context: CallContext): unknown {
    if (context.gap === true) onGap.call(this, context.from);
    return method.call(this, body, context);
  };
  Object.defineProperty(wrapped, 'name', { value: method.name });
  for (const key of Reflect.getMetadataKeys(method) as unknown[]) {
    Reflect.defineMetadata(key, Reflect.getMetadata(key, method), wrapped);
  }
  descriptor.value = wrapped;
}
