/** Frames over file descriptor 3: [u32 length, little endian][one byte: type][payload]. Bounded both ways. */
import { writevSync } from 'node:fs';
import { Socket } from 'node:net';

const fd = 3;
/** One result may be 16 MiB; a frame holds it with its head. */
const frameBytesMax = 17 * 1024 * 1024;
const headBytes = 5;
const never = new Int32Array(new SharedArrayBuffer(4));
/** Between two tries to write what the executor does not take yet (ms). */
const restMs = 1;

/** The executor is gone: there is nobody left to work for. */
export class Closed extends Error {}

/** Stands still for a moment, on purpose: what is told is with the kernel before the script goes on, and memory holds none of it. */
export const rest = () => void Atomics.wait(never, 0, 0, restMs);

/** Writes all of it, waiting as long as the other end takes. @throws the system's error. */
export function writeAll(to, chunks) {
  while (chunks.length > 0) {
    let sent = tryWrite(to, chunks);
    while (chunks.length > 0 && sent >= chunks[0].length) sent -= chunks.shift().length;
    if (sent > 0) chunks[0] = chunks[0].subarray(sent);
  }
}

function tryWrite(to, chunks) {
  try {
    return writevSync(to, chunks);
  } catch (fault) {
    if (fault.code !== 'EAGAIN') throw fault;
    rest();
    return 0;
  }
}

export const u32 = (number) => {
  const bytes = Buffer.allocUnsafe(4);
  bytes.writeUInt32LE(number, 0);
  return bytes;
};

/** Reading goes by the event loop, so that what the script waits for happens meanwhile; it reads no further than it is asked to. */
export class Channel {
  #socket = new Socket({ fd, readable: true, writable: false });
  #chunks = [];
  #bytes = 0;
  /** Frames that came while an answer was awaited: at most the items of the part that runs. */
  #ahead = [];
  #asked = 0;
  #answers = new Map();
  #pumping;
  #ended = false;

  constructor() {
    this.#socket.on('error', () => (this.#ended = true));
    this.#socket.on('end', () => (this.#ended = true));
  }

  /** The next frame: {kind, payload}. @throws Closed at the end. */
  async read() {
    while (this.#ahead.length === 0) await this.#pump();
    return this.#ahead.shift();
  }

  /** Asks without waiting; the answer is dropped. Gives the question's number. */
  tell(question) {
    this.#asked += 1;
    this.sendJson('C', { id: this.#asked, ...question });
    return this.#asked;
  }

  /** The answer; `drop` of what it gives ends the wait and leaves the channel whole. */
  ask(question) {
    const id = this.tell(question);
    let answer;
    const answered = (async () => {
      this.#answers.set(id, (told) => (answer = told));
      while (answer === undefined && this.#answers.has(id)) await this.#pump();
      return answer;
    })();
    return { answered, drop: () => this.#answers.delete(id) };
  }

  /** A helper of the worker that it does not carry along, by its name: its text. */
  async fetch(tool) {
    this.sendJson('T', { tool });
    for (;;) {
      const { kind, payload } = await this.read();
      if (kind === 'T') return payload.toString();
    }
  }

  /** One frame more: an answer goes to who asked, anything else waits to be read. */
  #pump() {
    return (this.#pumping ??= this.#next()
      .then(({ kind, payload }) => {
        if (kind !== 'V') return void this.#ahead.push({ kind, payload });
        const { id, ...told } = JSON.parse(payload);
        // An answer that nobody waits for any more is dropped.
        this.#answers.get(id)?.(told);
        this.#answers.delete(id);
      })
      .finally(() => (this.#pumping = undefined)));
  }

  async #next() {
    for (;;) {
      const length = this.#bytes < headBytes ? undefined : this.#peek(headBytes).readUInt32LE(0);
      if (length > frameBytesMax) throw new Closed();
      if (length !== undefined && this.#bytes >= headBytes + length) {
        const whole = this.#take(headBytes + length);
        return { kind: String.fromCharCode(whole[4]), payload: whole.subarray(headBytes) };
      }
      await this.#more();
    }
  }

  async #more() {
    for (;;) {
      const chunk = this.#socket.read();
      if (chunk !== null) {
        this.#chunks.push(chunk);
        this.#bytes += chunk.length;
        return;
      }
      if (this.#ended) throw new Closed();
      await new Promise((resolve) => {
        const done = () => {
          for (const event of ['readable', 'end', 'close']) this.#socket.off(event, done);
          resolve();
        };
        for (const event of ['readable', 'end', 'close']) this.#socket.on(event, done);
      });
    }
  }

  #peek(length) {
    if (this.#chunks[0].length < length) this.#chunks = [Buffer.concat(this.#chunks)];
    return this.#chunks[0];
  }

  #take(length) {
    const first = this.#peek(length);
    if (first.length === length) this.#chunks.shift();
    else this.#chunks[0] = first.subarray(length);
    this.#bytes -= length;
    return first.subarray(0, length);
  }

  send(kind, ...chunks) {
    const head = Buffer.allocUnsafe(headBytes);
    head.writeUInt32LE(
      chunks.reduce((sum, chunk) => sum + chunk.length, 0),
      0,
    );
    head.writeUInt8(kind.charCodeAt(0), 4);
    try {
      writeAll(fd, [head, ...chunks]);
    } catch {
      throw new Closed();
    }
  }

  sendJson(kind, value) {
    this.send(kind, Buffer.from(JSON.stringify(value)));
  }

  /** A JSON head, its length first, then raw bytes. */
  sendRaw(kind, head, ...chunks) {
    const text = Buffer.from(JSON.stringify(head));
    this.send(kind, u32(text.length), text, ...chunks);
  }
}
