import { limits } from '../limits.js';
import { decodeCompound, packMessages } from './compound.js';
import { compress, decompress } from './compress.js';
import { addCrc, hasCrc, removeCrc } from './crc.js';
import { decrypt, encrypt } from './encryption.js';
import { addLabel, labelProblem, removeLabel } from './label.js';
import { type Message, decodeMessage } from './message.js';
import { codes } from './schema.js';
import { type Wire, type WireFault, sendingKey } from './wire.js';
import { Work } from './work.js';

/**
 * The datagrams for some messages to one receiver, usually one: compound, compressed if that is shorter, checksum, encrypted, label.
 * @param crc whether the receiver is known to speak protocol 5
 */
export function encodePackets(messages: readonly Uint8Array[], crc: boolean, wire: Wire): Uint8Array[] {
  return packMessages(messages).map((message) => {
    const packed = wire.compression ? compress(message) : message;
    const shortest = packed.length < message.length ? packed : message;
    const checked = crc ? addCrc(shortest) : shortest;
    const key = sendingKey(wire);
    const sealed = key === undefined ? checked : encrypt(wire.cipher, key, wire.encryptionVersion, checked, wire.label);
    return addLabel(sealed, wire.label);
  });
}

/** What a datagram held. Parts before a fault are kept: one bad part does not spoil its neighbours. */
export interface DecodedPacket {
  readonly messages: readonly Message[];
  readonly faults: readonly WireFault[];
  /** What it cost. */
  readonly work: Readonly<Work>;
}

/** What is inside a datagram. Never throws; the work is bounded whatever is nested in it. */
export function decodePacket(datagram: Uint8Array, wire: Wire): DecodedPacket {
  const collector = new Collector();
  const plain = outermost(datagram, wire);
  if ('code' in plain) collector.faults.push(plain);
  else collector.take(plain, 0);
  return collector;
}

/** Label, encryption and checksum are understood only outermost and in this order. */
function outermost(datagram: Uint8Array, wire: Wire): Uint8Array | WireFault {
  if (datagram.length > limits.packetBytesMax) return { code: 'tooLarge', detail: `${datagram.length} bytes` };
  const labelled = removeLabel(datagram);
  if (labelled === 'short') return { code: 'label', detail: 'label header is truncated' };
  if (!labelled.ok) return { code: 'label', detail: labelled.problem };
  const mismatch = labelProblem(labelled.value.label, wire);
  if (mismatch !== undefined) return { code: 'label', detail: mismatch };
  const opened = decrypted(labelled.value.rest, wire);
  if ('code' in opened || !hasCrc(opened)) return opened;
  const checked = removeCrc(opened);
  return checked.ok ? checked.value : { code: 'checksum', detail: checked.problem };
}

function decrypted(bytes: Uint8Array, wire: Wire): Uint8Array | WireFault {
  if (wire.keyring.primary === undefined) return bytes;
  // The label that counts as present when the check is skipped is the configured one.
  const opened = decrypt(wire.cipher, wire.keyring, bytes, wire.label);
  if (opened.ok) return opened.value;
  return wire.verifyIncoming ? { code: 'decrypt', detail: opened.problem } : bytes;
}

/** Takes messages apart within one budget for the whole datagram. */
class Collector implements DecodedPacket {
  readonly messages: Message[] = [];
  readonly faults: WireFault[] = [];
  readonly work = new Work();
  #inflatable: number = limits.packetInflatedBytesMax;
  #parts: number = limits.packetMessagesMax;

  take(bytes: Uint8Array, depth: number): void {
    if (bytes.length === 0) return this.#fault('empty', 'missing message type byte');
    if (depth > limits.nestingMax) return this.#fault('malformed', 'nested too deep');
    if (bytes[0] === codes.compound) return this.#compound(bytes, depth);
    if (bytes[0] === codes.compressed) return this.#compressed(bytes, depth);
    const message = decodeMessage(bytes, this.work);
    if (message.ok) this.messages.push(message.value);
    else this.#fault(message.problem.startsWith('unknown') ? 'unknownType' : 'malformed', message.problem);
  }

  #compound(bytes: Uint8Array, depth: number): void {
    const compound = decodeCompound(bytes);
    if (!compound.ok) return this.#fault('malformed', compound.problem);
    for (const part of compound.value.parts) {
      if (this.#parts-- <= 0) return this.#fault('tooLarge', `more than ${limits.packetMessagesMax} messages`);
      this.take(part, depth + 1);
    }
    if (compound.value.truncated > 0) this.#fault('truncated', `compound: ${compound.value.truncated} parts`);
  }

  #compressed(bytes: Uint8Array, depth: number): void {
    const content = decompress(bytes, this.#inflatable, this.work);
    if (!content.ok) {
      // A compound full of bombs would pay for one after the other: after the first nothing more is inflated.
      this.#inflatable = 0;
      return this.#fault('malformed', content.problem);
    }
    this.#inflatable -= content.value.length;
    this.take(content.value, depth + 1);
  }

  #fault(code: WireFault['code'], detail: string): void {
    if (this.faults.length < limits.compoundPartsMax) this.faults.push({ code, detail });
  }
}
