import { type Context, type Span, SpanKind, SpanStatusCode, type Tracer, context, trace } from '@opentelemetry/api';
import { messageOf } from '@das/kernel';

const traceparentForm = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/;

/** W3C form of the active span; undefined outside of one, and when tracing is off. */
export function currentTraceparent(): string | undefined {
  const span = trace.getSpanContext(context.active());
  if (span === undefined) return undefined;
  return `00-${span.traceId}-${span.spanId}-${span.traceFlags.toString(16).padStart(2, '0')}`;
}

/** `base` (default: the active context) with the sender's span as parent; unchanged for none or a malformed one. */
export function remoteContext(traceparent: string | undefined, base: Context = context.active()): Context {
  if (traceparent === undefined) return base;
  const [, traceId, spanId, flags] = traceparentForm.exec(traceparent) ?? [];
  if (traceId === undefined || spanId === undefined || flags === undefined) return base;
  return trace.setSpanContext(base, { traceId, spanId, traceFlags: Number.parseInt(flags, 16), isRemote: true });
}

/**
 * Runs `act` in a span of its own when there is a parent in `parent`; beats and polls, which belong to no trace, make no spans.
 * `tracer` undefined: tracing is off.
 */
export async function traced<T>(
  tracer: Tracer | undefined,
  name: string,
  kind: SpanKind,
  parent: Context,
  act: () => Promise<T>,
): Promise<T> {
  if (tracer === undefined || trace.getSpanContext(parent) === undefined) return context.with(parent, act);
  const span = tracer.startSpan(name, { kind }, parent);
  try {
    return await context.with(trace.setSpan(parent, span), act);
  } catch (error) {
    recordFailure(span, error);
    throw error;
  } finally {
    span.end();
  }
}

export function recordFailure(span: Span, error: unknown): void {
  span.setStatus({ code: SpanStatusCode.ERROR, message: messageOf(error) });
  if (error instanceof Error) span.recordException(error);
}

export { SpanKind };
