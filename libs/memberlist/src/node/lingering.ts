import type { Socket } from 'node:net';
import { limits } from '../core/limits.js';

/** Bounds of the sockets that we are done with. */
export interface LingerBounds {
  /** How long a peer may take to read what we sent and to end its side, ms, whatever it sends meanwhile. */
  readonly lingerMs: number;
  readonly socketsMax: number;
}

const defaults: LingerBounds = { lingerMs: 5_000, socketsMax: limits.lingeringStreamsMax };

/** Sockets whose end we sent and whose peer has not ended. A peer decides neither how long they live nor how many there are. */
export class Lingering {
  /** In the order they came. */
  readonly #sockets = new Set<Socket>();

  constructor(private readonly bounds = defaults) {}

  /** Ends our side once all is sent. What still comes is thrown away; the oldest socket makes room for one too many. */
  end(socket: Socket): void {
    socket.removeAllListeners('data');
    // Unread bytes would hide the peer's end, and closing over them would reset what we sent.
    socket.resume();
    socket.end();
    const timer = setTimeout(() => socket.destroy(), this.bounds.lingerMs);
    this.#sockets.add(socket);
    socket.once('close', () => {
      clearTimeout(timer);
      this.#sockets.delete(socket);
    });
    const [oldest] = this.#sockets;
    if (this.#sockets.size <= this.bounds.socketsMax || oldest === undefined) return;
    // Its `close` comes later: it must not count until then.
    this.#sockets.delete(oldest);
    oldest.destroy();
  }
}
