/** What a script prints: written before it goes on, so that it belongs to the part that printed it and a flood piles up nowhere. */
import { Writable } from 'node:stream';
import { writeAll } from './channel.mjs';

class Prints extends Writable {
  constructor(fd) {
    super({ decodeStrings: true });
    this.fd = fd;
  }

  _write(chunk, _encoding, done) {
    try {
      writeAll(this.fd, [chunk]);
    } catch {
      // The script closed it, or nobody reads any more: there is nobody to tell.
    }
    done();
  }

  /** Standard streams stay open whatever is piped into them. */
  _destroy(_fault, done) {
    done();
  }
}

export function replacePrints() {
  for (const [name, fd] of [
    ['stdout', 1],
    ['stderr', 2],
  ])
    Object.defineProperty(process, name, {
      value: new Prints(fd),
      configurable: true,
      enumerable: true,
      writable: true,
    });
}
