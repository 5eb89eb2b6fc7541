import { Fault, type Problem, errorCodes, isErrorCode, problemSchema } from '@das/contracts';
import { DasError, messageOf } from '@das/kernel';
import { decodeJson, encodeJson } from './codec.js';
import type { BusMessage, Reply } from './ports/message-bus.js';

/** Header of an error reply: the fault's code. Its payload is the problem document, so that a plain client can read it. */
export const errorHeader = 'das-error';

/** Anything thrown as a Fault: a Fault as it is, another failure of ours by its code when the catalogue has it, the rest as INTERNAL without its stack. */
export function toFault(thrown: unknown): Fault {
  if (thrown instanceof Fault) return thrown;
  if (thrown instanceof DasError && isErrorCode(thrown.code)) {
    return new Fault(thrown.code, thrown.message, { hint: thrown.hint, cause: thrown });
  }
  return new Fault('INTERNAL', `unexpected failure: ${messageOf(thrown)}`, { cause: thrown });
}

/** A fault as RFC 9457 problem document: what REST and plain NATS clients see. */
export function problemOf(fault: Fault): Problem {
  const { field, expected, line, text } = fault.details;
  return {
    type: `urn:das-node:error:${fault.code}`,
    title: errorCodes[fault.code].title,
    status: fault.status,
    detail: fault.message,
    code: fault.code,
    ...(field === undefined ? {} : { field }),
    ...(expected === undefined ? {} : { expected }),
    ...(fault.hint === undefined ? {} : { hint: fault.hint }),
    ...(line === undefined ? {} : { line }),
    ...(text === undefined ? {} : { text }),
  };
}

/** The fault a problem document tells of: same code, message and details. */
export function faultOf(problem: unknown): Fault {
  const read = problemSchema.safeParse(problem);
  if (!read.success) return new Fault('INTERNAL', 'the error reply is not a problem document');
  const { code, detail, field, expected, hint, line, text } = read.data;
  return new Fault(isErrorCode(code) ? code : 'INTERNAL', detail, { field, expected, hint, line, text });
}

/** What a bus adapter answers when a handler rejects. */
export function errorReply(thrown: unknown): Reply {
  const fault = toFault(thrown);
  return { payload: encodeJson(problemOf(fault)), headers: { [errorHeader]: fault.code } };
}

/** The fault of an error reply; undefined for any other message. */
export function faultOfReply(message: BusMessage): Fault | undefined {
  if (message.headers?.[errorHeader] === undefined) return undefined;
  return faultOf(decodeJson(message.payload));
}
