/** Servers named in one URL; more is a mistake. */
export const hostsMax = 16;

const shape = /^(postgres(?:ql)?:\/\/(?:[^@/]*@)?)([^/?#]*)(.*)$/;

/** One server of a list. */
export interface DatabaseHost {
  /** A URL of this server alone, with its secret; never log it. */
  readonly url: string;
  /** `host:port`, as people may see it. */
  readonly where: string;
}

/**
 * The servers that a URL names, as libpq reads it: `postgres://user:password@one:5432,two:5432/database`, or the folder of one server's Unix socket:
 * `postgres://user:password@/database?host=/run/postgresql`.
 * @throws RangeError for a text that is no such URL, an empty place among several or without a socket, or more than {@link hostsMax} servers.
 */
export function databaseHosts(text: string): DatabaseHost[] {
  const [, login = '', places = '', rest = ''] = shape.exec(text) ?? [];
  const socket = places === '' ? socketOf(rest) : undefined;
  if (socket !== undefined) return [{ url: text, where: socket }];
  const hosts = places.split(',').map((place) => ({ url: `${login}${place}${rest}`, where: whereOf(place) }));
  if (places === '' || hosts.length > hostsMax || hosts.some(({ where }) => where === ''))
    throw new RangeError('expected postgres://user:password@host:port/database, or several host:port with commas');
  return hosts;
}

/** The name of the database in the URL. */
export const databaseName = (text: string): string => /^\/([^?#]*)/.exec(shape.exec(text)?.[3] ?? '')?.[1] ?? '';

/** The folder in `?host=/folder`, which only counts when nothing else names a server. */
const socketOf = (rest: string): string | undefined =>
  [new URLSearchParams(/\?([^#]*)/.exec(rest)?.[1] ?? '').get('host')].find((host) => host?.startsWith('/')) ??
  undefined;

const whereOf = (place: string): string => (place === '' || /:\d+$/.test(place) ? place : `${place}:5432`);

/**
 * Which server new connections go to: the one that served last. It is left when it does not answer or takes no writes; connections that
 * failed on a server that was left meanwhile move nobody, so that a pool that loses all of its connections at once goes on by one.
 */
export class HostChoice {
  #index = 0;

  constructor(readonly hosts: readonly DatabaseHost[]) {}

  get current(): DatabaseHost {
    return this.hosts[this.#index] as DatabaseHost;
  }

  /** The given server is of no use now. */
  leave(host: DatabaseHost): void {
    if (host === this.current) this.#index = (this.#index + 1) % this.hosts.length;
  }
}
