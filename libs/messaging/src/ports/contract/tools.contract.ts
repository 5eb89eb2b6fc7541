import { Fault } from '@das/contracts';
import type { BusMessage, MessageBus } from '../message-bus.js';

/** What a contract test is given: connections to one server, and the server's switch. */
export interface BusHarness {
  connect(): Promise<MessageBus>;
  stopServer(): Promise<void>;
  startServer(): Promise<void>;
}

/** A harness whose connections are closed after each test. */
export type Bench = () => BusHarness;

export const bytes = (text: string): Uint8Array => Buffer.from(text);
export const textOf = (message: BusMessage): string => Buffer.from(message.payload).toString();
export const message = (subject: string, text: string, envelope: BusMessage['envelope'] = {}): BusMessage => ({
  subject,
  envelope,
  payload: bytes(text),
});
export const codeOf = (call: Promise<unknown>): Promise<string> =>
  call.then(
    () => 'no fault',
    (error: unknown) => (error instanceof Fault ? error.code : `not a Fault: ${String(error)}`),
  );

/** Collects what a subscription gets; `until(n)` resolves once there are n. */
export function collector() {
  const got: BusMessage[] = [];
  let wake: () => void = () => undefined;
  return {
    got,
    handler: async (received: BusMessage) => {
      got.push(received);
      wake();
      return undefined;
    },
    until: async (count: number) => {
      while (got.length < count) await new Promise<void>((resolve) => (wake = resolve));
      return got;
    },
  };
}

/** A bus's connection changes, one by one. */
export function changes(bus: MessageBus): { next(): Promise<boolean> } {
  const seen: boolean[] = [];
  let wake: () => void = () => undefined;
  bus.onConnection((up) => {
    seen.push(up);
    wake();
  });
  return {
    next: async () => {
      while (seen.length === 0) await new Promise<void>((resolve) => (wake = resolve));
      return seen.shift() === true;
    },
  };
}
