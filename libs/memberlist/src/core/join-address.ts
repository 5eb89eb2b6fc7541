import { type Decoded, decoded, undecodable } from './codec/struct.js';

/** Where to join: a host to be looked up, and the name its node must have if one was given. */
export interface JoinAddress {
  readonly name: string;
  readonly host: string;
  readonly port: number;
}

const bracketed = /^\[([^\]]+)\](?::(\d+))?$/;
const hostAndPort = /^([^:]+)(?::(\d+))?$/;

/** Reads `[name/]host[:port]`; an IPv6 address with a port is in brackets. */
export function parseJoinAddress(text: string, defaultPort: number): Decoded<JoinAddress> {
  const slash = text.indexOf('/');
  const name = slash < 0 ? '' : text.slice(0, slash);
  if (slash === 0) return undecodable(`${JSON.stringify(text)}: empty node name`);
  const rest = text.slice(slash + 1);
  const bareV6 = !rest.startsWith('[') && rest.split(':').length > 2;
  const match = bareV6 ? [rest, rest, undefined] : (bracketed.exec(rest) ?? hostAndPort.exec(rest));
  const [, host, digits] = match ?? [];
  if (host === undefined || host === '') return undecodable(`${JSON.stringify(text)}: expected [name/]host[:port]`);
  const port = digits === undefined ? defaultPort : Number(digits);
  if (port < 1 || port > 65_535) return undecodable(`${JSON.stringify(text)}: port ${port} is not from 1 to 65535`);
  return decoded({ name, host, port });
}
