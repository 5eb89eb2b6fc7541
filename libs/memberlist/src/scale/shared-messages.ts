import { type MapMessage, type Message, decodeMessage, encodeMessage } from '../core/codec/message.js';

const meaning = Symbol('meaning');
const wireForm = Symbol('wireForm');

type Bytes = Uint8Array & { [meaning]?: Message };
type Shared = MapMessage & { [wireForm]?: Uint8Array };

/*
 * A rumour passes through every member several times, always with the same bytes. Bytes and meaning point at each other, so
 * that each rumour is encoded and decoded once for all members; weak maps of a million of them would cost more than they save.
 */

/** What bytes of another member mean. Messages are never changed, so all may hold the same one. */
export function messageOf(bytes: Bytes): Message {
  const known = bytes[meaning];
  if (known !== undefined) return known;
  const result = decodeMessage(bytes);
  if (!result.ok) throw new Error(`a message of our own is undecodable: ${result.problem}`);
  bytes[meaning] = result.value;
  if (result.value.kind !== 'user') (result.value as Shared)[wireForm] = bytes;
  return result.value;
}

/** The bytes of a message: those in which it came, if it did. */
export function bytesOf(message: Shared): Uint8Array {
  return message[wireForm] ?? encodeMessage(message);
}
