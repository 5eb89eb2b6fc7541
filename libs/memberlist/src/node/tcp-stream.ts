import type { Socket } from 'node:net';
import type { Address } from '../core/types.js';
import type { Stream, StreamHandler } from '../ports/transport.js';
import type { Lingering } from './lingering.js';

/** A TCP socket as a stream. The socket must allow a half-open state: the remote's end is not ours. */
export class TcpStream implements Stream {
  handler: StreamHandler | undefined;
  #connected: boolean;
  #closing = false;

  constructor(
    private readonly socket: Socket,
    readonly remote: Address,
    connected: boolean,
    private readonly lingering: Lingering,
  ) {
    this.#connected = connected;
    socket.setNoDelay(true);
    socket.on('connect', () => (this.#connected = true));
    // The chunk is the socket's own memory no more: Node hands out a new buffer for each.
    socket.on('data', (bytes: Buffer) => this.handler?.data(bytes));
    socket.on('end', () => this.#ended({}));
    socket.on('error', (error) => this.#ended({ reason: error.message, refused: !this.#connected }));
    socket.on('close', () => this.#ended({}));
  }

  send(bytes: Uint8Array): void {
    if (!this.#closing) this.socket.write(bytes);
  }

  close(): void {
    if (this.#closing) return;
    this.#closing = true;
    this.handler = undefined;
    // Destroyed by the peer or by us: its `close`, which ends lingering, may have been before.
    if (this.#connected && !this.socket.destroyed) this.lingering.end(this.socket);
    else this.socket.destroy();
  }

  abort(): void {
    this.#closing = true;
    this.handler = undefined;
    this.socket.destroy();
  }

  #ended(end: { reason?: string; refused?: boolean }): void {
    const { handler } = this;
    this.handler = undefined;
    handler?.closed(end);
  }
}
