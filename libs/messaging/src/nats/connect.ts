import { type ConnectionOptions, type TlsOptions, connect } from '@nats-io/transport-node';
import { type BusLog, silent } from '../log.js';
import { NatsMessageBus } from './nats-message-bus.js';

export interface NatsOptions {
  /** `nats://host:port`, or several with commas between. */
  readonly url: string;
  readonly token?: string;
  /** Shown in the server's monitoring: `<node>/<service>`. */
  readonly name: string;
  readonly tls?: TlsOptions;
  /** One attempt to connect ends after this. @default 2000 */
  readonly timeoutMs?: number;
  readonly log?: BusLog;
}

/** Wait between two attempts to reconnect, plus up to a fifth at random, so that a restarted server is not met by everyone at once. */
const reconnectWaitMs = 200;
/** A server that answers no ping for two of these is taken for dead and left. */
const pingMs = 5_000;

/**
 * Connects once; afterwards the connection is restored for ever.
 * @throws the client library's error when the server cannot be reached or refuses the token; nothing is left open.
 */
export async function connectNats(options: NatsOptions): Promise<NatsMessageBus> {
  const settings: ConnectionOptions = {
    servers: options.url.split(',').map((server) => server.trim()),
    name: options.name,
    timeout: options.timeoutMs ?? 2_000,
    maxReconnectAttempts: -1,
    reconnectTimeWait: reconnectWaitMs,
    reconnectJitter: reconnectWaitMs / 5,
    ignoreAuthErrorAbort: true,
    pingInterval: pingMs,
    // A stack per request would cost a third of the round trips (measured), and ours name the subject.
    noAsyncTraces: true,
    ...(options.token === undefined ? {} : { token: options.token }),
    ...(options.tls === undefined ? {} : { tls: options.tls }),
  };
  return new NatsMessageBus(await connect(settings), options.log ?? silent);
}
