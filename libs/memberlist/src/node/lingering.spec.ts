import { type Socket, connect } from 'node:net';
import type { LingerBounds } from './lingering.js';
import { UdpTcpTransport } from './udp-tcp-transport.js';

const opened: { transport?: UdpTcpTransport; readonly peers: Socket[] } = { peers: [] };

/** Ends each stream at its first byte, as a node does that has a key and hears garbage. */
async function listening(bounds: LingerBounds): Promise<UdpTcpTransport> {
  const transport = await UdpTcpTransport.bind({ bindAddr: '127.0.0.1', bindPort: 0 }, bounds);
  opened.transport = transport;
  const ignore = (): void => undefined;
  transport.listen({
    packet: ignore,
    problem: ignore,
    stream: (stream) => ({ data: () => stream.close(), closed: ignore }),
  });
  return transport;
}

/** A peer that sends a byte and never ends its side. */
function rude(port: number): Socket {
  const peer = connect({ host: '127.0.0.1', port, allowHalfOpen: true });
  opened.peers.push(peer);
  // Destroyed with our bytes unread, the node's socket resets ours.
  peer.on('error', () => undefined).resume();
  peer.write('x');
  return peer;
}

const event = (peer: Socket, name: 'end' | 'close'): Promise<void> =>
  new Promise((met) => peer.once(name, () => met()));

afterEach(async () => {
  for (const peer of opened.peers.splice(0)) peer.destroy();
  await opened.transport?.close();
});

describe('a stream that we ended', () => {
  it('is gone after its time, although its peer goes on sending', async () => {
    const { address } = await listening({ lingerMs: 200, socketsMax: 10 });
    const peer = rude(address.port);
    const closed = event(peer, 'close');
    await event(peer, 'end');
    const drip = setInterval(() => peer.write('x'), 20);
    await closed.finally(() => clearInterval(drip));
    expect(peer.destroyed).toBe(true);
  });

  it('makes room for others: the oldest first', async () => {
    const { address } = await listening({ lingerMs: 600_000, socketsMax: 2 });
    const gone: number[] = [];
    const peers: Socket[] = [];
    for (let i = 0; i < 5; i++) {
      const peer = rude(address.port);
      peers.push(peer);
      await event(peer, 'end');
      // A socket learns that the other is gone when it writes.
      const oldest = peers[i - 2];
      if (oldest === undefined) continue;
      const closed = event(oldest, 'close').then(() => gone.push(i - 2));
      const drip = setInterval(() => oldest.write('x'), 20);
      await closed.finally(() => clearInterval(drip));
    }
    expect(gone).toEqual([0, 1, 2]);
    expect(peers.slice(3).map(({ destroyed }) => destroyed)).toEqual([false, false]);
  });
});
