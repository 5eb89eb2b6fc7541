import { Inject, Injectable, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import {
  Fault,
  type LockAsk,
  type LockReleased,
  type LockView,
  type RequestOf,
  lockFreed,
  type locksRelease,
  type locksRenew,
} from '@das/contracts';
import { type Cancel, isoOf } from '@das/kernel';
import { LockClient, SERVICE_CONTEXT, type ServiceContext, heldWords } from '@das/platform';

/** Requests of one node that wait for a lock at a time; beyond, the answer comes at once. */
const waitsMax = 256;
/** Who is told to come again comes after so long at most (s): the holder may release. */
const retryAfterMaxS = 5;

/** Somebody else holds the lock. State: nothing was written. Ask again after `retryAfterS`. */
export class LockHeldFault extends Fault {
  constructor(
    words: string,
    readonly retryAfterS: number,
  ) {
    super('LOCK_HELD', words, { hint: 'ask again, or let the request wait: "wait": 30' });
  }
}

/** Locks for the clients of REST and NATS. */
@Injectable()
export class Locks implements OnModuleInit, OnModuleDestroy {
  readonly #client: LockClient;
  readonly #over = new AbortController();
  #waits = 0;
  #deaf: Cancel = () => undefined;

  constructor(@Inject(SERVICE_CONTEXT) private readonly context: ServiceContext) {
    this.#client = new LockClient(context.bus, context.clock);
  }

  async onModuleInit(): Promise<void> {
    this.#deaf = await this.context.bus.hear(lockFreed, ({ name }) => this.#client.freed(name));
  }

  /** Before connections are closed, which waits for their requests. */
  onModuleDestroy(): void {
    this.#over.abort();
    this.#deaf();
  }

  /**
   * Takes the lock, or waits for it. `gone`: aborted when the client is; what it had meanwhile is given back.
   * @throws LockHeldFault; Fault of the store, after which a client that knows its token asks again. A token made here is told to nobody
   * then, so the lock is given back, in the background.
   */
  async acquire(name: string, { limit, token, wait }: LockAsk, gone?: AbortSignal): Promise<LockView> {
    const holder = { kind: 'client' as const, token: token ?? this.context.newId() };
    const request = { name, holder, limitMs: msOf(limit) };
    const stop = AbortSignal.any([this.#over.signal, ...(gone === undefined ? [] : [gone])]);
    const waitMs = this.#waits < waitsMax ? msOf(wait) : 0;
    this.#waits += 1;
    try {
      const reply = await this.#client.acquire(request, waitMs, stop).catch((error: unknown) => {
        if (token === undefined) void this.#client.giveBack(request);
        throw error;
      });
      if (reply.outcome === 'acquired') return viewOf(name, holder.token, reply);
      if (reply.outcome !== 'held') throw new Fault('SERVICE_UNAVAILABLE', 'the node stops; ask another');
      const retryAfterS = Math.min(retryAfterMaxS, Math.max(1, Math.ceil(reply.leftMs / 1_000)));
      throw new LockHeldFault(heldWords(name, reply), retryAfterS);
    } finally {
      this.#waits -= 1;
    }
  }

  /** @throws Fault LOCK_LOST when the token does not hold the lock (any more). */
  async renew({ name, token, limit }: RequestOf<typeof locksRenew>): Promise<LockView> {
    const reply = await this.#client.renew({ name, holder: { kind: 'client', token }, limitMs: msOf(limit) });
    if (reply.outcome === 'renewed') return viewOf(name, token, reply);
    throw new Fault('LOCK_LOST', `this token does not hold the lock ${name}, or not any more: its limit was over`, {
      hint: 'acquire it again: a higher fence tells that others may have had it meanwhile',
    });
  }

  /** Twice is fine. */
  async release({ name, token }: RequestOf<typeof locksRelease>): Promise<LockReleased> {
    const { outcome } = await this.#client.release({ name, holder: { kind: 'client', token } });
    return { name, released: outcome === 'released' };
  }
}

const msOf = (seconds: number): number => Math.round(seconds * 1_000);

function viewOf(name: string, token: string, lock: { fence: number; expiresAt: number }): LockView {
  return { name, token, fence: lock.fence, expiresAt: isoOf(lock.expiresAt) };
}
