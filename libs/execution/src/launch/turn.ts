import { MessageChannel } from 'node:worker_threads';

const waiting: Array<() => void> = [];
const { port1, port2 } = new MessageChannel();
port2.on('message', () => waiting.shift()?.());
port1.unref();
port2.unref();

/** Resolves once everything that was readable when it was called has been read. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    waiting.push(resolve);
    port1.postMessage(null);
  });
}
