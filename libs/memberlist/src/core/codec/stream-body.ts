import { limits } from '../limits.js';
import { MsgpackReader } from './msgpack-reader.js';
import { codes, type Fields, type SchemaName } from './schema.js';
import type { NodeState, StreamMessage } from './stream-message.js';
import { readStruct } from './struct.js';
import type { WireFault } from './wire.js';
import type { Work } from './work.js';

/** Result of parsing what has come so far. */
export type StreamProgress =
  | { readonly kind: 'more' }
  | { readonly kind: 'message'; readonly message: StreamMessage }
  | { readonly kind: 'fault'; readonly fault: WireFault };

/** Not whole yet. */
export const more: StreamProgress = { kind: 'more' };

/** It will never become whole. */
export function streamFault(code: WireFault['code'], detail: string): StreamProgress {
  return { kind: 'fault', fault: { code, detail } };
}

/**
 * Parses a message in plain whose end is known only by parsing it. Members already read are not read again when more bytes come,
 * so the work grows with the bytes and not with the chunks.
 */
export class StreamBody {
  #at = 1;
  #header: Fields<'pushPullHeader'> | undefined;
  #userLength: number | undefined;
  readonly #states: NodeState[] = [];

  constructor(private readonly work: Work) {}

  /** `bytes` from the type byte on; each call with the same bytes and more of them. */
  parse(bytes: Uint8Array): StreamProgress {
    switch (bytes[0]) {
      case undefined:
        return more;
      case codes.pushPull:
        return this.#pushPull(bytes);
      case codes.user:
        return this.#user(bytes);
      case codes.ping:
        return this.#single('ping', bytes);
      case codes.ack:
        return this.#single('ack', bytes);
      case codes.error:
        return this.#single('error', bytes);
      default:
        return streamFault('unknownType', `message type ${bytes[0]} on a stream`);
    }
  }

  #single(kind: 'ping' | 'ack' | 'error', bytes: Uint8Array): StreamProgress {
    const fields = this.#read(kind, bytes);
    if ('kind' in fields) return fields;
    // Kind and fields have the same schema name.
    return { kind: 'message', message: { kind, ...fields.value } as unknown as StreamMessage };
  }

  #user(bytes: Uint8Array): StreamProgress {
    if (this.#userLength === undefined) {
      const header = this.#read('userHeader', bytes);
      if ('kind' in header) return header;
      this.#userLength = header.value.userMsgLen;
    }
    if (this.#userLength > limits.userMessageBytesMax) {
      return streamFault('tooLarge', `user message of ${this.#userLength} bytes`);
    }
    const end = this.#at + this.#userLength;
    if (end > bytes.length) return more;
    return { kind: 'message', message: { kind: 'user', payload: bytes.slice(this.#at, end) } };
  }

  #pushPull(bytes: Uint8Array): StreamProgress {
    if (this.#header === undefined) {
      const read = this.#read('pushPullHeader', bytes);
      if ('kind' in read) return read;
      const { nodes, userStateLen } = read.value;
      if (nodes > limits.pushPullNodesMax) return streamFault('tooLarge', `push/pull of ${nodes} nodes`);
      if (userStateLen > limits.userStateBytesMax)
        return streamFault('tooLarge', `user state of ${userStateLen} bytes`);
      this.#header = read.value;
    }
    while (this.#states.length < this.#header.nodes) {
      const state = this.#read('nodeState', bytes);
      if ('kind' in state) return state;
      this.#states.push(state.value);
    }
    const end = this.#at + this.#header.userStateLen;
    if (end > bytes.length) return more;
    const userState = bytes.slice(this.#at, end);
    return { kind: 'message', message: { kind: 'pushPull', join: this.#header.join, states: this.#states, userState } };
  }

  /** One struct; on success the position moves behind it, else nothing moves. */
  #read<K extends SchemaName>(schema: K, bytes: Uint8Array): { readonly value: Fields<K> } | StreamProgress {
    const reader = new MsgpackReader(bytes, this.#at, this.work);
    const result = readStruct(schema, reader);
    if ('value' in result) {
      this.#at = reader.position;
      return result;
    }
    if (result.fault !== 'short') return streamFault('malformed', `${schema}: ${result.fault.problem}`);
    return bytes.length - this.#at > limits.nodeStateBytesMax ? streamFault('tooLarge', `${schema} is too long`) : more;
  }
}
