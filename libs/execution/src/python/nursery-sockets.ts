import { closeSync, openSync, rmSync } from 'node:fs';
import { type Server, type Socket, createServer } from 'node:net';
import { join } from 'node:path';

/** A call begins with the worker's id, padded, and one letter that names the stream. */
const idChars = 32;
const helloBytes = idChars + 1;

export type StreamKind = 'c' | 'o' | 'e';
export type OnCall = (id: string, kind: StreamKind, socket: Socket) => void;

/** Where forked workers call back with their streams: a socket that only the executor's account may use. */
export class NurserySockets {
  readonly #server: Server;
  readonly #folder: number;
  /** As the nursery, whose working folder it lies in, names it. */
  readonly name: string;

  constructor(
    private readonly root: string,
    mark: string,
    onCall: OnCall,
  ) {
    this.name = `.n-${mark}`;
    this.#folder = openSync(root, 'r');
    this.#server = createServer((socket) => hear(socket, onCall));
  }

  listen(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      // A path by the folder's handle: a socket's name may have 107 bytes, and the folder's own may be longer.
      const path = `/proc/self/fd/${this.#folder}/${this.name}`;
      this.#server.listen({ path, readableAll: false, writableAll: false }, resolve);
    });
  }

  close(): void {
    this.#server.close();
    rmSync(join(this.root, this.name), { force: true });
    closeSync(this.#folder);
  }
}

function hear(socket: Socket, onCall: OnCall): void {
  socket.on('error', () => undefined);
  const first = (): void => {
    const hello = socket.read(helloBytes) as Buffer | null;
    if (hello === null) return;
    socket.off('readable', first);
    const text = hello.toString('latin1');
    onCall(text.slice(0, idChars).trimEnd(), text.slice(idChars) as StreamKind, socket);
  };
  socket.on('readable', first);
}
