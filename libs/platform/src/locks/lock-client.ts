import {
  Fault,
  type LockOwner,
  type Operation,
  type ReplyOf,
  type RequestOf,
  acquireLock,
  releaseLock,
  renewLock,
} from '@das/contracts';
import { type Clock, isoOf } from '@das/kernel';
import type { ServiceBus } from '@das/messaging';
import { patiently } from '../patiently.js';

/** Pauses between two questions while somebody else holds the lock (ms); the hint that it is free cuts them short. */
const firstPauseMs = 50;
const longestPauseMs = 1_000;
/** One question waits this long for the store (ms), and at least so long even when nobody is to wait for the lock. */
const callMsMax = 5_000;
const callMsMin = 2_000;
/** So long is tried to renew or to give back; after that the limit ends the lock (ms). */
const patienceMs = 10_000;
/** Locks that are given back in doubt at a time; beyond, their limit ends them. */
const givingBackMax = 256;

type AcquireRequest = RequestOf<typeof acquireLock>;
export type LockReply = ReplyOf<typeof acquireLock> | { readonly outcome: 'stopped' };
type Held = Extract<LockReply, { outcome: 'held' }>;

/** Asks the store for locks of users, and waits for those that others hold. */
export class LockClient {
  readonly #waiting = new Map<string, Set<() => void>>();
  #givingBack = 0;

  constructor(
    private readonly bus: Pick<ServiceBus, 'call'>,
    private readonly clock: Clock,
  ) {}

  /**
   * The hint that a lock was released. One of those who wait here asks at once, in turn: only one can have it, and a hundred that ask
   * together would keep the store from its work. Should that one be gone, the others ask within a second.
   */
  freed(name: string): void {
    const [wake] = this.#waiting.get(name) ?? [];
    wake?.();
  }

  /**
   * Asks until the lock is had or `waitMs` are over; who waits has no turn. Aborted: what was had meanwhile is given back.
   * @throws Fault of a store that could not be reached at the end, or that refuses for good. The lock may have been had: ask again, or
   * {@link giveBack} it.
   */
  async acquire(request: AcquireRequest, waitMs: number, signal: AbortSignal): Promise<LockReply> {
    const until = this.clock.monotonic() + waitMs;
    const left = () => until - this.clock.monotonic();
    let doubtful = false;
    for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(pauseMs * 2, longestPauseMs)) {
      if (signal.aborted) {
        if (doubtful) await this.giveBack(request);
        return { outcome: 'stopped' };
      }
      const freed = this.#listen(request.name, signal);
      try {
        const reply = await this.#ask(request, left(), signal);
        doubtful = reply instanceof Fault;
        if (reply instanceof Fault) {
          if (left() <= 0) throw reply;
          await freed.wait(Math.min(pauseMs, left()));
        } else {
          if (reply.outcome !== 'held' || left() <= 0) return reply;
          await freed.wait(Math.min(pauseMs, Math.max(1, reply.leftMs), left()));
        }
      } finally {
        freed.close();
      }
    }
  }

  /** @throws Fault, as {@link acquire}. */
  renew(request: RequestOf<typeof renewLock>): Promise<ReplyOf<typeof renewLock>> {
    return this.#patiently(renewLock, request);
  }

  /** @throws Fault, as {@link acquire}: its limit ends the lock. */
  release(request: RequestOf<typeof releaseLock>): Promise<ReplyOf<typeof releaseLock>> {
    return this.#patiently(releaseLock, request);
  }

  /**
   * Gives back what an {@link acquire} that threw may have had all the same: nobody else knows of it. Best effort; never throws. Over when
   * the store has answered or after {@link patienceMs}; until then its holder must not ask for it again, or it may lose what it gets.
   */
  async giveBack({ name, holder }: Pick<AcquireRequest, 'name' | 'holder'>): Promise<void> {
    if (this.#givingBack >= givingBackMax) return;
    this.#givingBack += 1;
    try {
      await this.release({ name, holder });
    } catch {
      // Its limit ends it.
    } finally {
      this.#givingBack -= 1;
    }
  }

  /** One answer, or the fault of a store that is away. */
  async #ask(request: AcquireRequest, leftMs: number, signal: AbortSignal): Promise<LockReply | Fault> {
    const timeoutMs = Math.min(callMsMax, Math.max(callMsMin, leftMs));
    const answer = await this.bus.call(acquireLock, request, { timeoutMs }).then(
      ({ body }) => body,
      (error: unknown) => {
        if (error instanceof Fault && error.retryable) return error;
        throw error;
      },
    );
    if (!signal.aborted) return answer;
    const { name, holder } = request;
    // Whoever asked is gone. Without an answer it may be had all the same.
    if (answer instanceof Fault || answer.outcome === 'acquired') await this.release({ name, holder });
    return { outcome: 'stopped' };
  }

  #patiently<Q, R>(operation: Operation<Q, R>, body: Q): Promise<R> {
    const patience = { forMs: patienceMs, pauseMs: longestPauseMs };
    return patiently(this.clock, patience, async () => {
      return (await this.bus.call(operation, body, { timeoutMs: callMsMax })).body;
    });
  }

  /** Hears hints from now on, so that none is missed between the answer and the wait. */
  #listen(name: string, signal: AbortSignal): { wait(ms: number): Promise<void>; close(): void } {
    let told = signal.aborted;
    let resume = (): void => undefined;
    const wake = (): void => {
      told = true;
      resume();
    };
    const wakes = this.#waiting.get(name) ?? new Set();
    this.#waiting.set(name, wakes.add(wake));
    signal.addEventListener('abort', wake);
    const wait = (ms: number): Promise<void> =>
      new Promise((resolve) => {
        if (told) return resolve();
        const cancel = this.clock.timer(ms, resolve);
        resume = () => {
          cancel();
          resolve();
        };
      });
    const close = (): void => {
      signal.removeEventListener('abort', wake);
      wakes.delete(wake);
      if (wakes.size === 0 && this.#waiting.get(name) === wakes) this.#waiting.delete(name);
    };
    return { wait, close };
  }
}

/** Who has a lock and until when, for people. */
export function heldWords(name: string, { by, expiresAt, leftMs }: Held): string {
  const seconds = Math.max(0.1, Math.ceil(leftMs / 100) / 10);
  return `the lock ${name} is held by ${ownerWords(by)} until ${isoOf(expiresAt)} (${seconds} s more) unless it is released or renewed`;
}

function ownerWords(by: LockOwner): string {
  if (by.kind === 'client') return 'a client';
  return `attempt ${by.attempt} of ${by.part} of job ${by.job} on ${by.node}`;
}
