import { Fault, limits } from '@das/contracts';
import { type Clock, messageOf } from '@das/kernel';
import { JetStreamEventLog, type NatsMessageBus, connectNats, streamReplicas } from '@das/messaging';
import type { CommonConfig } from './common-config.js';
import type { Logger } from './logging.js';
import { StartError } from './start-error.js';

/** Wait between two attempts to reach a server that is not up yet. */
const connectAgainMs = 250;
/** Of the server's refusals, those that waiting does not cure. */
const refused = /authorization|authentication/i;

/** Several services of a node start at once, and often together with their NATS server: keeps trying for DAS_CONNECT_TIMEOUT_MS. @throws StartError. */
export async function connectToNats(
  config: CommonConfig,
  token: string | undefined,
  name: string,
  clock: Clock,
  log: Logger,
): Promise<NatsMessageBus> {
  const url = config.DAS_NATS_URL;
  const deadline = clock.monotonic() + config.DAS_CONNECT_TIMEOUT_MS;
  for (;;) {
    try {
      const bus = await connectNats({ url, name, log, ...(token === undefined ? {} : { token }) });
      warnOfSmallPayload(bus, url, log);
      return bus;
    } catch (error) {
      const why = messageOf(error);
      if (refused.test(why)) throw refusedToken(url, why);
      if (clock.monotonic() + connectAgainMs > deadline) throw unreachable(url, why, config.DAS_CONNECT_TIMEOUT_MS);
      await new Promise<void>((resolve) => clock.timer(connectAgainMs, resolve));
    }
  }
}

/** @throws StartError when the server has no JetStream; the connection stays open. */
export async function openEventLog(bus: NatsMessageBus, url: string, clock: Clock): Promise<JetStreamEventLog> {
  try {
    return await JetStreamEventLog.open(bus.connection, clock, streamReplicas(url));
  } catch (error) {
    const hint = error instanceof Fault ? error.hint : undefined;
    throw new StartError(`NATS at ${withoutSecrets(url)}: ${messageOf(error)}`, { hint });
  }
}

const unreachable = (url: string, why: string, waitedMs: number): StartError =>
  new StartError(`cannot reach NATS at ${withoutSecrets(url)} (${why}; tried for ${waitedMs / 1000} s)`, {
    hint: 'start nats-server there, or set DAS_NATS_URL to where it runs',
  });

const refusedToken = (url: string, why: string): StartError =>
  new StartError(`NATS at ${withoutSecrets(url)} refuses the token (${why})`, {
    hint: "set DAS_TOKEN_FILE or DAS_NATS_TOKEN to the cluster's token",
  });

/** Works with small messages, but a full page would be refused: said once, at start, not in the middle of a job. */
function warnOfSmallPayload(bus: NatsMessageBus, url: string, log: Logger): void {
  const max = bus.connection.info?.max_payload ?? limits.payloadBytesMax;
  if (max >= limits.payloadBytesMax) return;
  const message = `NATS at ${withoutSecrets(url)} takes messages of at most ${max} bytes; set its max_payload to ${limits.payloadBytesMax}`;
  log.warn({ max_payload: max }, message);
}

/** An address as people may see it: without user, password or token. */
export const withoutSecrets = (url: string): string => url.replace(/\/\/[^@/,]*@/g, '//');
