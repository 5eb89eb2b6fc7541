import { lookup } from 'node:dns/promises';
import { parseIp } from '../core/address.js';
import type { Resolver } from '../ports/resolver.js';

/** The host's own way to look up names: its hosts file, then its name servers. */
export class DnsResolver implements Resolver {
  async resolve(host: string): Promise<readonly Uint8Array[]> {
    const found = await lookup(host, { all: true });
    return found.map(({ address }) => parseIp(address.split('%')[0] ?? '')).filter((addr) => addr !== undefined);
  }
}
