import { chmodSync, closeSync, openSync, rmSync } from 'node:fs';
import { type Server, type Socket, createServer } from 'node:net';
import { join } from 'node:path';

/** A call begins with the worker's id, padded, and one letter that names the stream. */
const idChars = 32;
const helloBytes = idChars + 1;

export const streamKinds = ['c', 'o', 'e'] as const;
export type StreamKind = (typeof streamKinds)[number];
export type OnCall = (id: string, kind: StreamKind, socket: Socket) => void;

/** Begins the name of a socket in the folder of scratch. */
export const socketPrefix = '.n-';

/** Where forked workers call back with their streams: a socket that only the executor's account may use. */
export class NurserySockets {
  readonly #server: Server;
  readonly #folder: number;
  /** Those that have not said yet whose they are. */
  readonly #strangers = new Set<Socket>();
  /** Takes over the socket of a caller. */
  onCall: OnCall = (_id, _kind, socket) => void socket.destroy();
  /** As the nursery, whose working folder it lies in, names it. */
  readonly name: string;

  private constructor(
    private readonly root: string,
    mark: string,
  ) {
    this.name = `${socketPrefix}${mark}`;
    this.#folder = openSync(root, 'r');
    this.#server = createServer((socket) => this.#hear(socket));
  }

  /** @throws Error of the system; nothing is left open. */
  static async listen(root: string, mark: string): Promise<NurserySockets> {
    const sockets = new NurserySockets(root, mark);
    try {
      await sockets.#listen();
      return sockets;
    } catch (error) {
      sockets.close();
      throw error;
    }
  }

  /** The sockets of those who are known stay open. */
  close(): void {
    const { listening } = this.#server;
    this.#server.close();
    for (const socket of this.#strangers) socket.destroy();
    this.#strangers.clear();
    if (listening) rmSync(join(this.root, this.name), { force: true });
    closeSync(this.#folder);
  }

  async #listen(): Promise<void> {
    // A path by the folder's handle: a socket's name may have 107 bytes, and the folder's own may be longer.
    const path = `/proc/self/fd/${this.#folder}/${this.name}`;
    await new Promise<void>((resolve, reject) => {
      // Also later on: a caller that cannot be taken is missed by who waits for it.
      this.#server.on('error', reject);
      this.#server.listen({ path, readableAll: false, writableAll: false }, resolve);
    });
    chmodSync(path, 0o600);
  }

  #hear(socket: Socket): void {
    this.#strangers.add(socket);
    socket.on('error', () => undefined);
    socket.once('close', () => this.#strangers.delete(socket));
    const first = (): void => {
      const hello = socket.read(helloBytes) as Buffer | null;
      if (hello === null) return;
      socket.off('readable', first);
      this.#strangers.delete(socket);
      const text = hello.toString('latin1');
      const kind = streamKinds.find((known) => known === text.slice(idChars));
      if (kind === undefined) socket.destroy();
      else this.onCall(text.slice(0, idChars).trimEnd(), kind, socket);
    };
    socket.on('readable', first);
  }
}
