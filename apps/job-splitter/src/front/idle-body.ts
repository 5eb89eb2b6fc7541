import { Fault, limits } from '@das/contracts';
import type { Request } from 'express';

/** Told to who let an upload rest for too long: by the store, which drops its job, or by the connection, whichever notices first. */
export const pausedTooLong = (): Fault =>
  new Fault(
    'JOB_ENDED',
    `the upload paused for more than ${limits.uploadIdleMs / 60_000} minutes, so its job was dropped`,
    { hint: 'submit it again, and send the input without such a pause' },
  );

/** Calls `paused` when nothing comes of a body for that long: no other bound ends a request that is still being sent. */
export function onIdleBody(request: Request, paused: () => void): void {
  request.setTimeout(limits.uploadIdleMs, paused);
  // What follows, a long wait for the job's end among it, is no pause of the sender.
  request.once('end', () => request.setTimeout(0));
}
