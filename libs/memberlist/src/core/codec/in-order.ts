import type { Message } from './message.js';

/** The messages of one datagram in the order in which they are to be heard: who is alive first, for the others may be about them. */
export function inOrder(messages: readonly Message[]): readonly Message[] {
  if (messages.length < 2) return messages;
  const alive = messages.filter((message) => message.kind === 'alive');
  return alive.length === 0 ? messages : [...alive, ...messages.filter((message) => message.kind !== 'alive')];
}
