import { parseIp } from './core/address.js';
import { seededRng } from './core/random.js';
import type { Delegates } from './delegates.js';
import { Memberlist } from './memberlist.js';
import { MemoryNetwork, type MemoryTransport } from './memory/memory-network.js';
import { VirtualClock, VirtualTime } from './memory/virtual-clock.js';
import { NodeCipher } from './node/node-cipher.js';
import type { MemberlistOptions } from './options.js';
import type { Resolver } from './ports/resolver.js';

/** Nodes of the public interface on a network in memory and on virtual time. */
export class Lab {
  readonly time = new VirtualTime();
  readonly network = new MemoryNetwork(this.time, seededRng(1));
  readonly transports = new Map<string, MemoryTransport>();
  /** What a host's name means here. */
  readonly hosts = new Map<string, readonly string[]>();

  node(name: string, ip: string, options: Partial<MemberlistOptions> = {}, delegates: Delegates = {}): Memberlist {
    const addr = parseIp(ip);
    if (addr === undefined) throw new Error(ip);
    const clock = new VirtualClock(this.time);
    const transport = this.network.bind({ addr, port: 7946 }, clock);
    this.transports.set(name, transport);
    const resolver: Resolver = { resolve: (host) => this.#resolve(host) };
    const ports = { transport, clock, cipher: new NodeCipher(), resolver, rng: seededRng(name.charCodeAt(0)) };
    return new Memberlist({ name, ...options }, ports, delegates);
  }

  /** Lets time go on until a promise has settled; gives its value or throws its reason. */
  async settle<T>(promise: Promise<T>): Promise<T> {
    let settled = false;
    const watch = promise.then(
      () => (settled = true),
      () => (settled = true),
    );
    for (let ms = 0; ms < 120_000 && !settled; ms += 10) {
      this.time.advance(10);
      // Whatever the callbacks resolved gets its turn: a few steps of promises each.
      for (let turn = 0; turn < 10; turn++) await Promise.resolve();
    }
    if (!settled) throw new Error('never settled');
    await watch;
    return promise;
  }

  async #resolve(host: string): Promise<readonly Uint8Array[]> {
    const found = this.hosts.get(host);
    if (found === undefined) throw new Error(`getaddrinfo ENOTFOUND ${host}`);
    return found.map(parseIp).filter((addr) => addr !== undefined);
  }
}
