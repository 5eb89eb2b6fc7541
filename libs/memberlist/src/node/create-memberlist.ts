import { randomInt } from 'node:crypto';
import { seededRng } from '../core/random.js';
import type { Delegates } from '../delegates.js';
import { MemberlistError } from '../errors.js';
import { Memberlist } from '../memberlist.js';
import { type MemberlistOptions, resolveOptions } from '../options.js';
import { DnsResolver } from './dns-resolver.js';
import { isPublic } from './interfaces.js';
import { NodeCipher } from './node-cipher.js';
import { SystemClock } from './system-clock.js';
import { UdpTcpTransport } from './udp-tcp-transport.js';

/**
 * A node on this host's network, running and alone until it joins.
 * @throws MemberlistError CONFIG_INVALID, META_TOO_LARGE; ADDRESS_IN_USE when it cannot listen. Nothing stays open.
 */
export async function createMemberlist(options: MemberlistOptions, delegates: Delegates = {}): Promise<Memberlist> {
  const cipher = new NodeCipher();
  const { config, wire } = resolveOptions(options, cipher);
  const { bindAddr = '0.0.0.0', advertiseAddr, advertisePort } = options;
  const transport = await bind({ bindAddr, bindPort: config.bindPort, advertiseAddr, advertisePort });
  if (isPublic(transport.address.addr) && wire.keyring.primary === undefined) {
    delegates.onNote?.({
      code: 'publicPlaintext',
      detail: 'a public address without encryption',
      peer: transport.address,
    });
  }
  const clock = new SystemClock(() => transport.received);
  const ports = { transport, clock, cipher, resolver: new DnsResolver(), rng: seededRng(randomInt(2 ** 32)) };
  try {
    return new Memberlist(options, ports, delegates);
  } catch (error) {
    await transport.close();
    throw error;
  }
}

async function bind(options: Parameters<typeof UdpTcpTransport.bind>[0]): Promise<UdpTcpTransport> {
  try {
    return await UdpTcpTransport.bind(options);
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    const place = `${options.bindAddr}:${options.bindPort}`;
    throw new MemberlistError('ADDRESS_IN_USE', `cannot listen on ${place}: ${detail}`, { cause: error });
  }
}
