import { randomSeed } from './random-seed.js';
import {
  DnsResolver,
  type MemberlistPorts,
  NodeCipher,
  SystemClock,
  UdpTcpTransport,
  formatIp,
  parseIp,
  seededRng,
} from '@das/memberlist';
import { messageOf } from '@das/kernel';
import { StartError } from '@das/platform';

export interface GossipPlace {
  /** IP address to listen on. */
  readonly bind: string;
  /** 0: any free one. */
  readonly port: number;
  /** What others are told instead. */
  readonly advertise: { readonly addr: string; readonly port: number | undefined } | undefined;
}

/** Another process has the port. State: nothing is open. */
export class PortInUseError extends StartError {}

/** What gossip runs on: the host's network, or one in memory on virtual time. */
export interface GossipNetwork {
  /** The IP address of a name to listen on. @throws StartError when there is none. */
  addressOf(bind: string): Promise<string>;
  /** @throws PortInUseError; StartError for an address that is not this machine's. Nothing is left open. */
  open(place: GossipPlace, newId: () => string): Promise<MemberlistPorts>;
}

/** UDP and TCP of this host. */
export const hostNetwork: GossipNetwork = {
  addressOf: ipOf,
  async open({ bind, port, advertise }, newId) {
    const transport = await listen(bind, port, advertise);
    return {
      transport,
      clock: new SystemClock(() => transport.received),
      cipher: new NodeCipher(),
      resolver: new DnsResolver(),
      rng: seededRng(randomSeed(newId())),
    };
  },
};

async function ipOf(bind: string): Promise<string> {
  if (parseIp(bind) !== undefined) return bind;
  try {
    const [addr] = await new DnsResolver().resolve(bind);
    if (addr !== undefined) return formatIp(addr);
  } catch {
    // Told below.
  }
  throw new StartError(`gossip cannot listen on ${bind}: it is no address of this machine`, {
    hint: 'set DAS_GOSSIP_BIND to an IP address of this machine',
  });
}

async function listen(
  bindAddr: string,
  bindPort: number,
  advertise: GossipPlace['advertise'],
): Promise<UdpTcpTransport> {
  try {
    return await UdpTcpTransport.bind({
      bindAddr,
      bindPort,
      advertiseAddr: advertise?.addr,
      advertisePort: advertise?.port,
    });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EADDRINUSE') {
      const hint = 'set DAS_GOSSIP_PORT to another port, or to 0 for a free one';
      throw new PortInUseError(`the gossip port ${bindPort} on ${bindAddr} is in use`, { hint, cause: error });
    }
    const hint = 'set DAS_GOSSIP_BIND to an IP address of this machine';
    throw new StartError(`gossip cannot listen on ${bindAddr}:${bindPort} (${messageOf(error)})`, {
      hint,
      cause: error,
    });
  }
}
