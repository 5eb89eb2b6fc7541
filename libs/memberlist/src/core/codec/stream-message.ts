import { concat } from './bytes.js';
import { compress } from './compress.js';
import { encrypt, encryptedLength } from './encryption.js';
import { writeU32 } from './bytes.js';
import { type MessageOf, encodeMessage } from './message.js';
import { codes, type Fields } from './schema.js';
import { encodeStruct } from './struct.js';
import { type Wire, sendingKey } from './wire.js';

/** One member as a push/pull tells it. */
export type NodeState = Fields<'nodeState'>;

/** The whole table of a node and its delegate's state. */
export interface PushPull {
  readonly kind: 'pushPull';
  readonly join: boolean;
  readonly states: readonly NodeState[];
  readonly userState: Uint8Array;
}

/** A user message over a stream. */
export interface StreamUser {
  readonly kind: 'user';
  readonly payload: Uint8Array;
}

/** What one direction of a stream carries: exactly one of these. */
export type StreamMessage = PushPull | StreamUser | MessageOf<'ping'> | MessageOf<'ack'> | MessageOf<'error'>;

/** The message in plain, type byte first. */
export function encodeStreamMessage(message: StreamMessage): Uint8Array {
  if (message.kind === 'pushPull') return encodePushPull(message);
  if (message.kind !== 'user') return encodeMessage(message);
  const header = encodeStruct('userHeader', { userMsgLen: message.payload.length }, codes.user);
  return concat([header, message.payload]);
}

function encodePushPull(message: PushPull): Uint8Array {
  const { join, states, userState } = message;
  const header = encodeStruct(
    'pushPullHeader',
    { join, nodes: states.length, userStateLen: userState.length },
    codes.pushPull,
  );
  return concat([header, ...states.map((state) => encodeStruct('nodeState', state)), userState]);
}

/** Bytes of an encrypted stream's header: type and length. Authenticated together with the label. */
export const frameHeadBytes = 5;

/** The message as sent on a stream, without the label's header: compressed even when that is longer (as the original), then encrypted. */
export function encodeStream(message: StreamMessage, wire: Wire): Uint8Array {
  const plain = encodeStreamMessage(message);
  const packed = wire.compression ? compress(plain) : plain;
  const key = sendingKey(wire);
  return key === undefined ? packed : sealFrame(packed, key, wire);
}

/** `0a`, length, sealed bytes. */
export function sealFrame(packed: Uint8Array, key: Uint8Array, wire: Wire): Uint8Array {
  const head = new Uint8Array(frameHeadBytes);
  head[0] = codes.encrypted;
  writeU32(head, 1, encryptedLength(wire.encryptionVersion, packed.length));
  const aad = concat([head, wire.label]);
  return concat([head, encrypt(wire.cipher, key, wire.encryptionVersion, packed, aad)]);
}
