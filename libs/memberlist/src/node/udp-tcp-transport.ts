import { type Socket as UdpSocket, createSocket } from 'node:dgram';
import { type Server, type Socket, connect, createServer } from 'node:net';
import { performance } from 'node:perf_hooks';
import { formatIp, formatIpV6, parseIp, unmapped } from '../core/address.js';
import type { Address } from '../core/types.js';
import type { Stream, StreamHandler, Transport, TransportHandler } from '../ports/transport.js';
import { ErrorThrottle } from './error-throttle.js';
import { advertisedAddress } from './interfaces.js';
import { type LingerBounds, Lingering } from './lingering.js';
import { TcpStream } from './tcp-stream.js';

/** Where to listen and what to tell others. */
export interface BindOptions {
  /** Address to listen on; `0.0.0.0` and `::` are all of the host's. */
  readonly bindAddr: string;
  /** Port for datagrams and streams; 0 for any free one. */
  readonly bindPort: number;
  /** What others are told, when it is not what we bind: behind an address translation. */
  readonly advertiseAddr?: string | undefined;
  readonly advertisePort?: number | undefined;
}

/** The kernel may choose a TCP port whose UDP twin is taken: then another is tried. */
const bindTries = 10;
const receiveBufferBytes = 2 << 20;
const receiveBufferMinBytes = 64 << 10;

/** UDP and TCP at the same port of this host. */
export class UdpTcpTransport implements Transport {
  readonly #sockets = new Set<Socket>();
  readonly #lingering: Lingering;
  /** As the datagram socket wants it. */
  readonly #formatIp: (addr: Uint8Array) => string;
  #handler: TransportHandler | undefined;
  #closing: Promise<void> | undefined;
  #received = 0;
  readonly #udpErrors = new ErrorThrottle(() => performance.now());
  readonly #acceptErrors = new ErrorThrottle(() => performance.now());

  private constructor(
    private readonly udp: UdpSocket,
    private readonly tcp: Server,
    readonly address: Address,
    linger: LingerBounds | undefined,
  ) {
    this.#lingering = new Lingering(linger);
    this.#formatIp = udp.address().family === 'IPv6' ? formatIpV6 : formatIp;
    udp.on('message', (bytes, remote) => this.#packet(bytes, remote.address, remote.port));
    udp.on('error', (error) => this.#problem(this.#udpErrors, error));
    tcp.on('connection', (socket) => this.#accept(socket));
    tcp.on('error', (error) => this.#problem(this.#acceptErrors, error));
  }

  /**
   * Takes the port for both.
   * @throws Error of Node when it is taken or the address is not ours, RangeError when what others are to be told is no address;
   * nothing stays open
   * @param linger bounds of the streams that were closed: 5 s, 512 of them
   */
  static async bind(options: BindOptions, linger?: LingerBounds): Promise<UdpTcpTransport> {
    // Once before any socket is open: what it throws must leave nothing behind.
    advertisedAddress(options, options.bindPort);
    for (let attempt = 1; ; attempt++) {
      const tcp = await listen(options.bindAddr, options.bindPort);
      const { port } = tcp.address() as { port: number };
      try {
        const udp = await bindUdp(options.bindAddr, port);
        return new UdpTcpTransport(udp, tcp, advertisedAddress(options, port), linger);
      } catch (error) {
        await new Promise((closed) => tcp.close(closed));
        if (options.bindPort !== 0 || attempt >= bindTries) throw error;
      }
    }
  }

  /** Datagrams received so far. */
  get received(): number {
    return this.#received;
  }

  listen(handler: TransportHandler): void {
    this.#handler = handler;
  }

  sendPacket(to: Address, bytes: Uint8Array, failed?: (reason: string) => void): void {
    if (this.#closing !== undefined) return;
    this.udp.send(bytes, to.port, this.#formatIp(to.addr), (error) => {
      if (error !== null) failed?.(error.message);
    });
  }

  dial(to: Address, handler: StreamHandler): Stream {
    const socket = connect({ host: formatIp(to.addr), port: to.port, allowHalfOpen: true });
    const stream = new TcpStream(this.#track(socket), to, false, this.#lingering);
    stream.handler = handler;
    return stream;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const udpClosed = new Promise<void>((closed) => this.udp.close(() => closed()));
    const tcpClosed = new Promise<void>((closed) => this.tcp.close(() => closed()));
    for (const socket of this.#sockets) socket.destroy();
    await Promise.all([udpClosed, tcpClosed]);
  }

  #packet(bytes: Uint8Array, ip: string, port: number): void {
    this.#received++;
    const from = remoteAddress(ip, port);
    if (from !== undefined) this.#handler?.packet(bytes, from);
  }

  #problem(throttle: ErrorThrottle, error: Error): void {
    const told = throttle.admit(error.message);
    if (told !== undefined) this.#handler?.problem(told);
  }

  #accept(socket: Socket): void {
    this.#acceptErrors.reset();
    const remote = remoteAddress(socket.remoteAddress ?? '', socket.remotePort ?? 0);
    if (remote === undefined || this.#handler === undefined) {
      socket.destroy();
      return;
    }
    const stream = new TcpStream(this.#track(socket), remote, true, this.#lingering);
    stream.handler = this.#handler.stream(stream);
  }

  #track(socket: Socket): Socket {
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
    return socket;
  }
}

/**
 * A zone (`fe80::1%eth0`) is no part of an address on the wire, and a peer of IPv4 is one whatever socket hears it. Only where answers
 * go: addresses that members tell of themselves are kept as they are.
 */
function remoteAddress(ip: string, port: number): Address | undefined {
  const addr = parseIp(ip.split('%')[0] ?? '');
  return addr === undefined ? undefined : { addr: unmapped(addr), port };
}

function listen(host: string, port: number): Promise<Server> {
  const server = createServer({ allowHalfOpen: true });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port }, () => {
      server.removeListener('error', reject);
      resolve(server);
    });
  });
}

function bindUdp(address: string, port: number): Promise<UdpSocket> {
  const socket = createSocket({ type: address.includes(':') ? 'udp6' : 'udp4', lookup: known });
  return new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.bind({ address, port }, () => {
      socket.removeListener('error', reject);
      growReceiveBuffer(socket);
      resolve(socket);
    });
  });
}

/** Only IP addresses are ever sent to: to ask the resolver about each costs a tenth of what an idle node costs. */
function known(
  address: string,
  _options: unknown,
  found: (error: null, address: string, family: number) => void,
): void {
  found(null, address, address.includes(':') ? 6 : 4);
}

/** A large buffer outlives pauses of this process; the host may allow less. */
function growReceiveBuffer(socket: UdpSocket): void {
  for (let bytes = receiveBufferBytes; bytes >= receiveBufferMinBytes; bytes >>= 1) {
    try {
      socket.setRecvBufferSize(bytes);
      return;
    } catch {
      // Refused: half of it may be allowed.
    }
  }
}
