// A member of a gossip cluster in a process of its own, ours or the original's, driven by the same lines.
import { randomInt } from 'node:crypto';
import { join } from 'node:path';
import { LineProcess } from './line-process.mjs';

/** Our own peer's program, given the folder of the repository. */
export const ourPeer = (repository) => [process.execPath, join(repository, 'e2e/src/interop/our-peer.mjs')];

/** Addresses of a loopback network that nobody else has taken, most likely: clusters side by side never meet. */
export function loopbackNetwork() {
  const prefix = `127.${randomInt(1, 255)}.${randomInt(0, 255)}`;
  let next = 1;
  return () => `${prefix}.${next++}`;
}

export class Peer extends LineProcess {
  #nextId = 1;

  /** Resolves when it listens. `program`: the command line of our peer or the original's. */
  static async start(program, options) {
    const peer = new Peer(options.name, [...program, JSON.stringify(options)], parse);
    try {
      const ready = await peer.until('listens', ({ event }) => event === 'ready');
      peer.address = ready.address;
      return peer;
    } catch (error) {
      await peer.kill();
      throw error;
    }
  }

  /** Has it do something. Rejects with its words when it could not. */
  async ask(name, fields = {}) {
    const id = this.#nextId++;
    const from = this.mark;
    this.child.stdin.write(`${JSON.stringify({ id, do: name, ...fields })}\n`);
    const answer = await this.until(name, (event) => event.event === 'answer' && event.id === id, { from });
    if (answer.error !== undefined) throw new Error(answer.error);
    return answer.value;
  }

  /** Waits for something told of a member. */
  saw(event, node, options) {
    return this.until(`${event} of ${node}`, (told) => told.event === event && told.node === node, options);
  }

  /** Waits for a line of its log. */
  logged(pattern, options) {
    return this.until(String(pattern), (told) => told.event === 'log' && pattern.test(told.text), options);
  }

  /** What was told of these kinds since a mark. */
  told(kinds, from = 0) {
    return this.events.slice(from).filter(({ event }) => kinds.includes(event));
  }
}

/** Text that is no JSON is a crash's last words. */
function parse(line) {
  try {
    return JSON.parse(line);
  } catch {
    return { event: 'log', text: line };
  }
}
