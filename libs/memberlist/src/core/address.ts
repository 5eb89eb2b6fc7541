import { equalBytes } from './codec/bytes.js';
import type { Address } from './types.js';

const mappedPrefix = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff];

/** The bytes of an IPv4 address that travels in the 16-byte mapped form, as 4; others as they are. */
export function unmapped(addr: Uint8Array): Uint8Array {
  const isMapped = addr.length === 16 && mappedPrefix.every((byte, i) => addr[i] === byte);
  return isMapped ? addr.subarray(12) : addr;
}

export function sameAddress(a: Address, b: Address): boolean {
  return a.port === b.port && equalBytes(unmapped(a.addr), unmapped(b.addr));
}

/** Whether the bytes can be an address at all. */
export function isAddr(addr: Uint8Array | undefined): addr is Uint8Array {
  return addr !== undefined && (addr.length === 4 || addr.length === 16);
}

/** The address for people and sockets: dotted IPv4 or IPv6 without zero compression. */
export function formatIp(addr: Uint8Array): string {
  const bytes = unmapped(addr);
  if (bytes.length === 4) return bytes.join('.');
  const groups: string[] = [];
  for (let i = 0; i + 1 < bytes.length; i += 2)
    groups.push((((bytes[i] ?? 0) << 8) | (bytes[i + 1] ?? 0)).toString(16));
  return groups.join(':');
}

/** The address for an IPv6 socket, which reaches IPv4 only by the mapped form `::ffff:10.0.0.1`. */
export function formatIpV6(addr: Uint8Array): string {
  const ip = formatIp(addr);
  return ip.includes(':') ? ip : `::ffff:${ip}`;
}

/** Whether it is `0.0.0.0` or `::`, which stands for all addresses of a host. */
export function isUnspecified(addr: Uint8Array): boolean {
  return unmapped(addr).every((byte) => byte === 0);
}

/** `ip:port`, an IPv6 address in brackets. */
export function formatAddress({ addr, port }: Address): string {
  const ip = formatIp(addr);
  return ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`;
}

/** The 4 or 16 bytes of an IP literal; nothing when it is none. Zones (`%eth0`) are not part of an address here. */
export function parseIp(text: string): Uint8Array | undefined {
  return text.includes(':') ? parseV6(text) : parseV4(text);
}

function parseV4(text: string): Uint8Array | undefined {
  const parts = text.split('.');
  const valid = parts.length === 4 && parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) < 256);
  return valid ? Uint8Array.from(parts, Number) : undefined;
}

function parseV6(text: string): Uint8Array | undefined {
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const [head, tail] = halves.map((half) => (half === '' ? [] : groupsOf(half)));
  if (head === undefined || (halves.length === 2 && tail === undefined)) return undefined;
  const missing = 8 - head.length - (tail?.length ?? 0);
  if (halves.length === 1 ? missing !== 0 : missing < 1) return undefined;
  const groups = [...head, ...Array<number>(missing).fill(0), ...(tail ?? [])];
  return Uint8Array.from(groups.flatMap((group) => [group >> 8, group & 0xff]));
}

/** Groups of 16 bits; an IPv4 address at the end counts for two. */
function groupsOf(text: string): number[] | undefined {
  const groups: number[] = [];
  for (const part of text.split(':')) {
    const v4 = part.includes('.') ? parseV4(part) : undefined;
    if (v4 !== undefined) groups.push(((v4[0] ?? 0) << 8) | (v4[1] ?? 0), ((v4[2] ?? 0) << 8) | (v4[3] ?? 0));
    else if (/^[0-9a-fA-F]{1,4}$/.test(part)) groups.push(Number.parseInt(part, 16));
    else return undefined;
  }
  return groups;
}

/** A network: the addresses that begin with the first `bits` bits of `addr`. */
export interface Cidr {
  readonly addr: Uint8Array;
  readonly bits: number;
}

/** Reads `10.0.0.0/8` or `fd00::/8`. */
export function parseCidr(text: string): Cidr | undefined {
  const [ip, size, ...rest] = text.split('/');
  const addr = parseIp(ip ?? '');
  if (addr === undefined || size === undefined || rest.length > 0 || !/^\d{1,3}$/.test(size)) return undefined;
  const bits = Number(size);
  return bits <= addr.length * 8 ? { addr, bits } : undefined;
}

/** Whether an address may join. An empty list allows all, as in the original's code (its comment says the opposite). */
export function isAllowed(addr: Uint8Array, allowed: readonly Cidr[]): boolean {
  return allowed.length === 0 || allowed.some((cidr) => contains(cidr, unmapped(addr)));
}

function contains({ addr, bits }: Cidr, ip: Uint8Array): boolean {
  if (addr.length !== ip.length) return false;
  return ip.every((byte, i) => {
    const mask = (0xff00 >> Math.min(8, Math.max(0, bits - i * 8))) & 0xff;
    return (byte & mask) === ((addr[i] ?? 0) & mask);
  });
}
