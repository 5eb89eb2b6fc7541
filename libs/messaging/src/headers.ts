import { Fault } from '@das/contracts';
import type { BusMessage, Envelope, Reply } from './ports/message-bus.js';

/** Header names are lower case on the wire and when read. */
export type HeaderList = [name: string, value: string][];

const lineBreaks = /[\r\n]+/g;

/** Headers of a message as sent; line breaks in values become blanks. */
export function headersOf(message: Pick<BusMessage, 'envelope' | 'bodyBytes' | 'headers'>): HeaderList {
  const list: HeaderList = [];
  const { id, type, from, sentAt, epoch, seq, traceparent, causedBy } = message.envelope;
  if (id !== undefined) list.push(['das-id', id]);
  if (type !== undefined) list.push(['das-type', type]);
  if (from !== undefined) list.push(['das-from', from]);
  if (sentAt !== undefined) list.push(['das-sent-at', String(sentAt)]);
  if (epoch !== undefined) list.push(['das-epoch', epoch]);
  if (seq !== undefined) list.push(['das-seq', String(seq)]);
  if (traceparent !== undefined) list.push(['traceparent', traceparent]);
  if (causedBy !== undefined) list.push(['das-caused-by', causedBy]);
  return addReplyHeaders(list, message);
}

/** Headers of a reply: it answers one request and needs no envelope. */
export function replyHeadersOf(reply: Reply): HeaderList {
  return addReplyHeaders([], reply);
}

function addReplyHeaders(list: HeaderList, reply: Pick<Reply, 'bodyBytes' | 'headers'>): HeaderList {
  if (reply.bodyBytes !== undefined) list.push(['das-body', String(reply.bodyBytes)]);
  if (reply.headers === undefined) return list;
  for (const [name, value] of Object.entries(reply.headers)) {
    list.push([name.toLowerCase(), value.replace(lineBreaks, ' ')]);
  }
  return list;
}

/** A message's envelope and further headers, as {@link headersOf} wrote them or as a plain client did. */
export function readHeaders(
  list: Iterable<readonly [string, string]>,
): Pick<BusMessage, 'envelope' | 'bodyBytes' | 'headers'> {
  const envelope: { -readonly [K in keyof Envelope]?: Envelope[K] } = {};
  let headers: Record<string, string> | undefined;
  let bodyBytes: number | undefined;
  for (const [name, value] of list) {
    switch (name.toLowerCase()) {
      case 'das-id':
        envelope.id = value;
        break;
      case 'das-type':
        envelope.type = value;
        break;
      case 'das-from':
        envelope.from = value;
        break;
      case 'das-sent-at':
        envelope.sentAt = Number(value);
        break;
      case 'das-epoch':
        envelope.epoch = value;
        break;
      case 'das-seq':
        envelope.seq = Number(value);
        break;
      case 'traceparent':
        envelope.traceparent = value;
        break;
      case 'das-caused-by':
        envelope.causedBy = value;
        break;
      case 'das-body':
        bodyBytes = Number(value);
        break;
      default:
        (headers ??= {})[name.toLowerCase()] = value;
    }
  }
  return { envelope, ...(bodyBytes === undefined ? {} : { bodyBytes }), ...(headers === undefined ? {} : { headers }) };
}

/** Bytes that NATS counts against `max_payload`: the header block and the payload. */
export function messageBytes(headers: HeaderList, payload: Uint8Array): number {
  if (headers.length === 0) return payload.byteLength;
  let bytes = 'NATS/1.0\r\n\r\n'.length + payload.byteLength;
  for (const [name, value] of headers) bytes += name.length + Buffer.byteLength(value) + ': \r\n'.length;
  return bytes;
}

/** @throws Fault PAYLOAD_TOO_LARGE; nothing was sent. */
export function refuseTooLarge(subject: string, bytes: number, bytesMax: number): void {
  if (bytes <= bytesMax) return;
  throw new Fault(
    'PAYLOAD_TOO_LARGE',
    `a message of ${bytes} bytes on ${subject} exceeds the limit of ${bytesMax} bytes`,
    {
      expected: `at most ${bytesMax} bytes, headers included`,
      hint: 'send the data in pages',
    },
  );
}
