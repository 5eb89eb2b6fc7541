import { createSocket } from 'node:dgram';

/** The address of this machine that reaches a host: what others there can reach us by. Nothing is sent. Undefined when there is no way. */
export async function addressTowards(host: string, port: number): Promise<string | undefined> {
  const socket = createSocket('udp4');
  try {
    return await new Promise<string>((resolve, reject) => {
      socket.once('error', reject);
      socket.once('connect', () => resolve(socket.address().address));
      // A host that is not known is told by 'error' only while nobody listens by a callback.
      socket.connect(port, host);
    });
  } catch {
    return undefined;
  } finally {
    socket.close();
  }
}
