import { createServer } from 'node:net';
import { EventEmitter, once } from 'node:events';
import { formatIp, parseIp } from '../core/address.js';
import type { Delegates } from '../delegates.js';
import type { Memberlist } from '../memberlist.js';
import type { MemberlistOptions } from '../options.js';
import { createMemberlist } from './create-memberlist.js';
import { advertisedAddress, isPublic } from './interfaces.js';
import { UdpTcpTransport } from './udp-tcp-transport.js';

const running: Memberlist[] = [];

async function start(
  name: string,
  options: Partial<MemberlistOptions>,
  delegates: Delegates = {},
): Promise<Memberlist> {
  const fast = { probeIntervalMs: 100, probeTimeoutMs: 40, gossipIntervalMs: 20, tcpTimeoutMs: 2_000, bindPort: 0 };
  const node = await createMemberlist({ name, ...fast, ...options }, delegates);
  running.push(node);
  return node;
}

/** Whether this host has IPv6 at all: some containers have not. */
async function hasIpv6(): Promise<boolean> {
  const server = createServer();
  const bound = await new Promise<boolean>((resolve) => {
    server.once('error', () => resolve(false));
    server.listen({ host: '::1', port: 0 }, () => resolve(true));
  });
  if (bound) await new Promise((closed) => server.close(closed));
  return bound;
}

afterEach(async () => {
  await Promise.all(running.splice(0).map((node) => node.shutdown()));
});

describe('a node on sockets', () => {
  it('joins over IPv6 where the host has it, and says so where it has not', async () => {
    const begun = start('a', { bindAddr: '::1' });
    if (!(await hasIpv6())) {
      await expect(begun).rejects.toMatchObject({ code: 'ADDRESS_IN_USE', message: expect.stringContaining('::1') });
      return;
    }
    const [a, b] = [await begun, await start('b', { bindAddr: '::1' })];
    expect(await b.join([`a/[::1]:${a.self.port}`])).toBe(1);
    expect([a, b].map(({ members }) => members.length)).toEqual([2, 2]);
    expect(await a.ping('b')).toBeLessThan(1_000);
  });

  it('gossips and probes by datagrams between IPv4 and all addresses of an IPv6 host', async () => {
    const datagramsOnly = { disableTcpPings: true, pushPullIntervalMs: 0, advertiseAddr: '127.0.0.1' };
    const dual = { ...datagramsOnly, bindAddr: '::' };
    if (!(await hasIpv6())) {
      const word = { code: 'ADDRESS_IN_USE', message: expect.stringContaining('cannot listen on :::') };
      await expect(start('a', dual)).rejects.toMatchObject(word);
      return;
    }
    let meta = 'one';
    const seen = new EventEmitter();
    const tells = (self: string): Delegates => ({
      nodeMeta: () => Buffer.from(meta),
      onPing: ({ name }) => seen.emit(`${self} probed ${name}`),
      onUpdate: ({ name }) => seen.emit(`${self} heard of ${name}`),
    });
    const a = await start('a', dual, tells('a'));
    const b = await start('b', { ...datagramsOnly, bindAddr: '127.0.0.1' }, tells('b'));
    const both = (what: string): Promise<unknown> =>
      Promise.all([once(seen, `a ${what} b`), once(seen, `b ${what} a`)]);
    expect(await b.join([`127.0.0.1:${a.self.port}`])).toBe(1);
    await both('probed');
    meta = 'two';
    const heard = both('heard of');
    await Promise.all([a.update(5_000), b.update(5_000), heard]);
    expect([await a.ping('b'), await b.ping('a')].every((ms) => ms < 1_000)).toBe(true);
    expect(formatIp(a.self.addr)).toBe('127.0.0.1');
  });

  it('hears an IPv4 peer as one although its socket is of IPv6', async () => {
    if (!(await hasIpv6())) {
      await expect(UdpTcpTransport.bind({ bindAddr: '::', bindPort: 0 })).rejects.toThrow(/::/);
      return;
    }
    const ports = { bindPort: 0, advertiseAddr: '127.0.0.1' };
    const [dual, v4] = [
      await UdpTcpTransport.bind({ ...ports, bindAddr: '::' }),
      await UdpTcpTransport.bind({ ...ports, bindAddr: '127.0.0.1' }),
    ];
    const heard = new Promise((resolve) => {
      dual.listen({
        packet: (_, from) => resolve(from),
        stream: () => ({ data: () => undefined, closed: () => undefined }),
        problem: resolve,
      });
    });
    v4.sendPacket(dual.address, Uint8Array.of(1));
    expect(await heard.finally(() => Promise.all([dual.close(), v4.close()]))).toEqual(v4.address);
  });

  it('tells others the address it is given instead of the one it is bound to', async () => {
    const a = await start('a', { bindAddr: '127.0.0.1', advertiseAddr: '127.0.1.100', advertisePort: 23 });
    const b = await start('b', { bindAddr: '127.0.0.1', advertiseAddr: '127.0.0.1' });
    expect([formatIp(a.self.addr), a.self.port]).toEqual(['127.0.1.100', 23]);
    expect(await a.join([`127.0.0.1:${b.self.port}`])).toBe(1);
    const seen = b.members.find(({ name }) => name === 'a');
    expect(seen && [formatIp(seen.addr), seen.port]).toEqual(['127.0.1.100', 23]);
  });

  it('refuses to tell others what is no address, and leaves no socket open', async () => {
    const wrong = { bindAddr: '127.0.0.1', advertiseAddr: 'host.example' };
    await expect(start('a', wrong)).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    const open = (): number => process.getActiveResourcesInfo().filter((kind) => /TCP|UDP/.test(kind)).length;
    const before = open();
    await expect(UdpTcpTransport.bind({ ...wrong, bindPort: 0 })).rejects.toThrow(/not an IP address: "host.example"/);
    expect(open()).toBe(before);
  });
});

describe('the advertised address', () => {
  it('is the given one, else the bound one, else one of this host', () => {
    const of = (options: object): string => {
      const { addr, port } = advertisedAddress({ bindAddr: '10.1.1.1', bindPort: 0, ...options }, 7);
      return `${formatIp(addr)} ${port}`;
    };
    expect(of({})).toBe('10.1.1.1 7');
    expect(of({ advertiseAddr: '192.0.2.1' })).toBe('192.0.2.1 7');
    expect(of({ advertiseAddr: '192.0.2.1', advertisePort: 9 })).toBe('192.0.2.1 9');
    expect(of({ advertisePort: 9 })).toBe('10.1.1.1 7');
    for (const bindAddr of ['0.0.0.0', '::', '0:0:0:0:0:0:0:0', '::ffff:0.0.0.0']) {
      expect(of({ bindAddr })).toMatch(/^(?!0\.)\d+\.\d+\.\d+\.\d+ 7$/);
    }
  });

  it.each([
    ['127.0.0.1', false],
    ['10.9.9.9', false],
    ['172.31.0.1', false],
    ['172.32.0.1', true],
    ['fd00::1', false],
    ['2001:db8::1', true],
    ['8.8.8.8', true],
  ])('%s is public: %p', (ip, expected) => {
    expect(isPublic(parseIp(ip) ?? new Uint8Array(0))).toBe(expected);
  });
});
