import { networkInterfaces } from 'node:os';
import { isAllowed, isUnspecified, parseCidr, parseIp } from '../core/address.js';
import type { Address } from '../core/types.js';
import type { BindOptions } from './udp-tcp-transport.js';

const privateNetworks = [
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  'fc00::/7',
  'fe80::/10',
  '::1/128',
]
  .map(parseCidr)
  .filter((cidr) => cidr !== undefined);

/** Whether an address is reachable from anywhere. */
export function isPublic(addr: Uint8Array): boolean {
  return !isAllowed(addr, privateNetworks);
}

/**
 * What we tell others: the given address, else the bound one, else a private one of this host.
 * @throws RangeError when the given address is no IP address
 */
export function advertisedAddress(options: BindOptions, boundPort: number): Address {
  const { bindAddr, advertiseAddr, advertisePort } = options;
  const bound = parseIp(bindAddr);
  const text = advertiseAddr ?? (bound !== undefined && isUnspecified(bound) ? privateAddress() : bindAddr);
  const addr = parseIp(text);
  if (addr === undefined) throw new RangeError(`not an IP address: ${JSON.stringify(text)}`);
  const port = advertiseAddr === undefined ? boundPort : (advertisePort ?? boundPort);
  return { addr, port };
}

/** The first private IPv4 address of this host that is not its own loopback; the loopback when there is no other. */
function privateAddress(): string {
  const candidates = Object.values(networkInterfaces())
    .flatMap((entries) => entries ?? [])
    .filter(({ family, internal }) => family === 'IPv4' && !internal)
    .map(({ address }) => address);
  const isPrivate = (ip: string): boolean => {
    const addr = parseIp(ip);
    return addr !== undefined && !isPublic(addr);
  };
  return candidates.find(isPrivate) ?? candidates[0] ?? '127.0.0.1';
}
