import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Clock } from '@das/kernel';
import { frontLimits } from './config.js';

/**
 * For every request, whoever answered it: clients that are still sending when they have their answer may read it first; what they go on
 * sending is thrown away, but not for ever.
 */
export function discardWhatIsLeft(server: Server, clock: Clock): void {
  server.prependListener('request', (request: IncomingMessage, response: ServerResponse) => {
    response.once('finish', () => discard(request, clock));
  });
}

function discard(request: IncomingMessage, clock: Clock): void {
  if (request.complete || request.destroyed) return;
  request.resume();
  const { socket } = request;
  const cancel = clock.timer(frontLimits.discardMs, () => request.destroy());
  // An answered request is not told when its connection closes.
  socket.once('close', cancel);
  request.once('end', () => {
    cancel();
    socket.off('close', cancel);
  });
}
