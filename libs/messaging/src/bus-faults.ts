import { Fault } from '@das/contracts';

/** The receiver may have acted. */
export const timedOut = (subject: string, timeoutMs: number): Fault =>
  new Fault('REQUEST_TIMEOUT', `no answer on ${subject} within ${Math.round(timeoutMs)} ms`, {
    hint: 'the receiver is busy or frozen, and may have acted',
  });

/** Nobody received it. */
export const nobodyListens = (subject: string): Fault =>
  new Fault('SERVICE_UNAVAILABLE', `nobody answers on ${subject}`, { hint: 'the service is down or still starting' });

/** Nothing was sent, or the answer was lost. */
export const busAway = (why: string): Fault =>
  new Fault('BUS_UNAVAILABLE', `the message bus cannot be reached: ${why}`, {
    hint: 'the connection is restored by itself once the server is back',
  });
