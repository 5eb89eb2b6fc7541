import type { PushPull, StreamMessage } from '../core/codec/stream-message.js';
import { encodeStream } from '../core/codec/stream-message.js';
import { StreamReader } from '../core/codec/stream-reader.js';
import { limits } from '../core/limits.js';
import type { Cancel } from '../ports/clock.js';
import type { Stream, StreamHandler } from '../ports/transport.js';
import type { Carrier } from './dialler.js';
import type { EngineNote } from './listener.js';

/** What streams opened by others lead to. */
export interface AnswererOwner {
  readonly name: string;
  readonly tcpTimeoutMs: number;
  localPushPull(join: boolean): PushPull;
  merge(remote: PushPull): void;
  userMessage(payload: Uint8Array): void;
  note(note: EngineNote): void;
}

/** One stream that is not answered yet. */
interface Inbound {
  readonly reader: StreamReader;
  readonly cancel: Cancel;
}

/** Answers the streams that others open: one message each, in one direction or two. */
export class Answerer {
  readonly #open = new Map<Stream, Inbound>();
  /** Bytes kept of all open ones together. */
  #buffered = 0;

  constructor(
    private readonly carrier: Carrier,
    private readonly owner: AnswererOwner,
  ) {}

  /** A new stream; too many at once are dropped. */
  accept(stream: Stream): StreamHandler {
    if (this.#open.size >= limits.inboundStreamsMax) {
      this.owner.note({ code: 'stream', detail: `more than ${limits.inboundStreamsMax} streams`, peer: stream.remote });
      stream.abort();
      return { data: () => undefined, closed: () => undefined };
    }
    const { clock, wire } = this.carrier;
    const reader = new StreamReader(wire, 'dialler');
    const cancel = clock.at(clock.now() + this.owner.tcpTimeoutMs, () => this.#end(stream));
    this.#open.set(stream, { reader, cancel });
    return { data: (bytes) => this.#data(stream, bytes), closed: () => this.#end(stream) };
  }

  /** Closes all that are open. */
  close(): void {
    for (const stream of [...this.#open.keys()]) this.#end(stream);
  }

  #data(stream: Stream, bytes: Uint8Array): void {
    const inbound = this.#open.get(stream);
    // A message that was answered already: what follows it does not matter.
    if (inbound === undefined) return;
    const before = inbound.reader.bufferedBytes;
    const progress = inbound.reader.feed(bytes);
    this.#buffered += inbound.reader.bufferedBytes - before;
    if (progress.kind === 'more') return this.#boundMemory(stream);
    if (progress.kind === 'message') {
      this.#answer(stream, progress.message);
      return;
    }
    const { code, detail } = progress.fault;
    this.owner.note({ code: `wire.${code}`, detail, peer: stream.remote });
    // Whoever has another label is not told anything about us.
    if (code !== 'label') this.#send(stream, { kind: 'error', error: detail });
    this.#end(stream);
  }

  /** Many peers that each send a little less than too much are too much as well. */
  #boundMemory(stream: Stream): void {
    if (this.#buffered <= limits.inboundBytesMax) return;
    const detail = `more than ${limits.inboundBytesMax} bytes of unfinished streams`;
    this.owner.note({ code: 'stream', detail, peer: stream.remote });
    this.#end(stream);
  }

  #answer(stream: Stream, message: StreamMessage): void {
    switch (message.kind) {
      case 'pushPull':
        return this.#pushPull(stream, message);
      case 'ping':
        return this.#ping(stream, message.node, message.seqNo);
      case 'user':
        this.#end(stream);
        if (message.payload.length > 0) this.owner.userMessage(message.payload);
        return;
      case 'ack':
      case 'error':
        this.owner.note({ code: 'stream', detail: `a stream began with ${message.kind}`, peer: stream.remote });
        return this.#end(stream);
    }
  }

  /** Our state goes out before theirs is taken in, so that both tell what they knew. */
  #pushPull(stream: Stream, remote: PushPull): void {
    this.#send(stream, this.owner.localPushPull(remote.join));
    this.#end(stream);
    this.owner.merge(remote);
  }

  #ping(stream: Stream, node: string, seqNo: number): void {
    if (node === '' || node === this.owner.name) this.#send(stream, { kind: 'ack', seqNo, payload: undefined });
    else this.owner.note({ code: 'wrongNode', detail: `stream ping for ${JSON.stringify(node)}`, peer: stream.remote });
    this.#end(stream);
  }

  #send(stream: Stream, message: StreamMessage): void {
    stream.send(encodeStream(message, this.carrier.wire));
  }

  #end(stream: Stream): void {
    const inbound = this.#open.get(stream);
    if (inbound !== undefined) {
      inbound.cancel();
      this.#buffered -= inbound.reader.bufferedBytes;
      this.#open.delete(stream);
    }
    stream.close();
  }
}
