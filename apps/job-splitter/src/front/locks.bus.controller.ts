import { Controller, Inject } from '@nestjs/common';
import {
  type LockReleased,
  type LockView,
  type RequestOf,
  locksAcquire,
  locksRelease,
  locksRenew,
} from '@das/contracts';
import { Answers } from '@das/messaging';
import { Locks } from './locks.js';

/** Locks over the bus, in plain JSON: `nats req das.v1.locks.acquire '{"name":"stock"}'`. */
@Controller()
export class LocksBusController {
  constructor(@Inject(Locks) private readonly locks: Locks) {}

  @Answers(locksAcquire)
  acquire({ name, ...ask }: RequestOf<typeof locksAcquire>): Promise<LockView> {
    return this.locks.acquire(name, ask);
  }

  @Answers(locksRenew)
  renew(request: RequestOf<typeof locksRenew>): Promise<LockView> {
    return this.locks.renew(request);
  }

  @Answers(locksRelease)
  release(request: RequestOf<typeof locksRelease>): Promise<LockReleased> {
    return this.locks.release(request);
  }
}
