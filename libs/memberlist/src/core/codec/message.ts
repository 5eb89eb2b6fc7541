import { noBytes } from './bytes.js';
import { codes, type Fields } from './schema.js';
import { type Decoded, decodeStruct, decoded, encodeFields, undecodable } from './struct.js';
import { Work } from './work.js';

/** Messages that travel alone in a datagram or a part of one, as maps. */
const mapKinds = ['ping', 'indirectPing', 'ack', 'suspect', 'alive', 'dead', 'nack', 'error'] as const;

/** Kind of a message that is a map. */
export type MapKind = (typeof mapKinds)[number];

/** A message that is a map: its kind and its fields. */
export type MapMessage = { [K in MapKind]: { readonly kind: K } & Fields<K> }[MapKind];

/** A message of one kind. */
export type MessageOf<K extends MapKind> = Extract<MapMessage, { kind: K }>;

/** What a delegate sent: bytes that mean nothing to the protocol. */
export interface UserMessage {
  readonly kind: 'user';
  readonly payload: Uint8Array;
}

/** Everything a datagram can carry once its wrappers are off. */
export type Message = MapMessage | UserMessage;

const kindOf = new Map<number, MapKind>(mapKinds.map((kind) => [codes[kind], kind]));

/** The bytes of one message, its type first. */
export function encodeMessage(message: MapMessage): Uint8Array {
  return encodeFields(message.kind, message, codes[message.kind]);
}

/** A user message as it travels in a datagram: its type, then the bytes to the end. */
export function encodeUser(payload: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(payload.length + 1);
  bytes[0] = codes.user;
  bytes.set(payload, 1);
  return bytes;
}

/** One message without wrappers. Never throws. */
export function decodeMessage(bytes: Uint8Array, work = new Work()): Decoded<Message> {
  const code = bytes[0];
  if (code === undefined) return undecodable('missing message type byte');
  if (code === codes.user) return decoded({ kind: 'user', payload: bytes.length > 1 ? bytes.slice(1) : noBytes });
  const kind = kindOf.get(code);
  if (kind === undefined) return undecodable(`unknown message type ${code}`);
  return withKind(kind, bytes, work);
}

function withKind<K extends MapKind>(kind: K, bytes: Uint8Array, work: Work): Decoded<Message> {
  const fields = decodeStruct(kind, bytes, 1, work);
  if (!fields.ok) return undecodable(`${kind}: ${fields.problem}`);
  // Kind and fields belong together: both come from the same schema name.
  return decoded({ kind, ...fields.value } as unknown as Message);
}
