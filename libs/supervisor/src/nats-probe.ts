import type { Clock } from '@das/kernel';
import { connect, createServer } from 'node:net';

/** What a server says of itself to whoever connects; other fields are left out. */
export interface NatsInfo {
  readonly server_name?: string;
}

const answerMaxMs = 1_000;
const infoBytesMax = 64 * 1024;

/** The greeting of a NATS server at this address; undefined when there is none (yet). */
export function natsInfo(host: string, port: number, clock: Clock): Promise<NatsInfo | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    let text = '';
    const end = (info: NatsInfo | undefined): void => {
      cancel();
      socket.destroy();
      resolve(info);
    };
    const cancel = clock.timer(answerMaxMs, () => end(undefined));
    socket.on('error', () => end(undefined));
    socket.on('close', () => end(undefined));
    socket.on('data', (data) => {
      text += data.toString();
      if (text.includes('\r\n')) end(greeting(text));
      else if (text.length > infoBytesMax) end({});
    });
  });
}

/** Anything but a NATS server's first line is a stranger's: `{}`. */
function greeting(text: string): NatsInfo {
  const line = text.slice(0, text.indexOf('\r\n'));
  try {
    return line.startsWith('INFO ') ? (JSON.parse(line.slice('INFO '.length)) as NatsInfo) : {};
  } catch {
    return {};
  }
}

/** A port nobody listens on at the moment. */
export function freePort(host = '127.0.0.1'): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, host, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
