import type { Fault, Operation } from '@das/contracts';
import { messageOf } from '@das/kernel';
import { type Tracer, context } from '@opentelemetry/api';
import { decodeBody, encodeBody, encodeJson } from '../codec.js';
import type { BusLog } from '../log.js';
import type { BusHandler, BusMessage, Reply } from '../ports/message-bus.js';
import type { Answer, CallContext } from '../ports/service-bus.js';
import { toFault } from '../rpc.js';
import { callContext } from './call-context.js';
import { RunningRequests } from './running-requests.js';
import { SpanKind, remoteContext, traced } from './tracing.js';
import { validReply, validRequest } from './validate.js';

export type OperationHandler<Request, Answered> = (
  body: Request,
  context: CallContext,
) => Promise<Answered | Answer<Answered>>;

/** Handler of one answered operation: validates, joins repetitions of a running request, traces, and turns what is thrown into a Fault. */
export function answering<Request, Answered>(
  operation: Operation<Request, Answered>,
  handler: OperationHandler<Request, Answered>,
  tracer: Tracer | undefined,
  log: BusLog,
): BusHandler {
  const running = new RunningRequests<Reply>();
  // The answering service's own context: on a bus within one process the caller's would be active here.
  const home = context.active();
  const act = async (message: BusMessage): Promise<Reply> => {
    try {
      const { body, raw } = decodeBody(message.payload, message.bodyBytes);
      const request = validRequest(operation.request, body, operation.name);
      return replyTo(message, operation, await handler(request, callContext(message, raw)));
    } catch (error) {
      throw reported(error, operation.name, message, log);
    }
  };
  return (message) =>
    running.run(message.envelope.id, () =>
      tracer === undefined
        ? act(message)
        : traced(tracer, operation.name, SpanKind.SERVER, remoteContext(message.envelope.traceparent, home), () =>
            act(message),
          ),
    );
}

/** What is no Fault is our own defect: told to the log here, and to the caller by its message only. */
function reported(error: unknown, operation: string, message: BusMessage, log: BusLog): Fault {
  const fault = toFault(error);
  if (fault.code === 'INTERNAL') {
    log.error({ operation, from: message.envelope.from, err: error }, `${operation} failed: ${messageOf(error)}`);
  }
  return fault;
}

function replyTo<Request, Answered>(
  message: BusMessage,
  operation: Operation<Request, Answered>,
  answered: Answered | Answer<Answered>,
): Reply {
  const { body, raw } = isAnswer(answered) ? answered : { body: answered, raw: undefined };
  // The caller validates; a plain client cannot.
  return message.envelope.id === undefined
    ? plainReply(validReply(operation.reply, body, operation.name), raw)
    : encodeBody(body, raw);
}

/** Longest value that is worth a header. */
const headerValueMax = 1024;

/** For a client without envelopes: plain JSON, or the raw block alone with the body's fields as headers. */
function plainReply(body: unknown, raw: Uint8Array | undefined): Reply {
  if (raw === undefined) return { payload: encodeJson(body) };
  const headers: Record<string, string> = {};
  for (const [field, value] of Object.entries(body ?? {})) {
    const text = typeof value === 'string' ? value : JSON.stringify(value);
    if (text !== undefined && text.length <= headerValueMax) headers[`das-${field.toLowerCase()}`] = text;
  }
  return { payload: raw, headers };
}

/** A handler's value that carries a raw block. */
function isAnswer<Body>(value: Body | Answer<Body>): value is Answer<Body> {
  return (
    typeof value === 'object' && value !== null && 'body' in value && 'raw' in value && value.raw instanceof Uint8Array
  );
}
