import { type Assignment, Fault, type LockHolder } from '@das/contracts';
import type { LockAnswer, LockCall } from '@das/execution';
import { type NodeId, assertNever } from '@das/kernel';
import { type LockClient, heldWords } from '@das/platform';

/**
 * The locks that one attempt asks for, one question after the other. What it still holds when it ends is free by that alone:
 * the store judges the attempt, so nothing has to be given back here.
 */
export class AttemptLocks {
  readonly #holder: LockHolder;
  #last: Promise<unknown> = Promise.resolve();
  #wait = new AbortController();
  /** Of the last acquire without an answer: the next question waits for it, so that it never takes what that one gets. */
  #givenBack: Promise<void> = Promise.resolve();

  /** `over`: aborted when nobody listens to the answers any more. */
  constructor(
    private readonly client: LockClient,
    node: NodeId,
    { job, generation, part, attempt }: Assignment,
    private readonly over: AbortSignal,
  ) {
    this.#holder = { kind: 'attempt', job, generation, part, attempt, node };
  }

  /** What the store refuses, or that it is away, is an answer, too. A new question ends the wait for the one before. */
  ask(call: LockCall): Promise<LockAnswer> {
    this.#wait.abort();
    const wait = new AbortController();
    this.#wait = wait;
    const answer = this.#last.then(() => this.#answer(call, wait.signal));
    this.#last = answer.then(() => this.#givenBack);
    return answer;
  }

  async #answer(call: LockCall, given: AbortSignal): Promise<LockAnswer> {
    try {
      switch (call.op) {
        case 'acquire':
          return await this.#acquire(call, AbortSignal.any([given, this.over]));
        case 'renew':
          return await this.#renew(call);
        case 'release':
          await this.client.release({ name: call.name, holder: this.#holder, fence: call.fence });
          return { released: true };
        default:
          return assertNever(call);
      }
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      return { refusal: call.op === 'renew' ? 'lost' : 'timeout', why: awayWords(call.name, error) };
    }
  }

  async #acquire(call: LockCall & { op: 'acquire' }, stop: AbortSignal): Promise<LockAnswer> {
    const { name, limitMs, waitMs } = call;
    const request = { name, holder: this.#holder, limitMs };
    const reply = await this.client.acquire(request, waitMs, stop).catch((error: unknown) => {
      // The script is told that it has not the lock, and may go on without.
      this.#givenBack = this.client.giveBack(request);
      throw error;
    });
    if (reply.outcome === 'acquired') return { fence: reply.fence };
    if (reply.outcome === 'held')
      return { refusal: 'timeout', why: `not had within ${waitMs / 1_000} s: ${heldWords(name, reply)}` };
    return { refusal: 'over', why: `this attempt has ended, and gets the lock ${name} no more` };
  }

  async #renew({ name, fence, limitMs }: LockCall & { op: 'renew' }): Promise<LockAnswer> {
    const reply = await this.client.renew({ name, holder: this.#holder, fence, limitMs });
    if (reply.outcome === 'renewed') return { fence: reply.fence };
    return {
      refusal: 'lost',
      why: `the lock ${name} is not held any more: its limit was over, or the attempt has ended`,
    };
  }
}

const awayWords = (name: string, { message }: Fault): string => `nothing is known of the lock ${name}: ${message}`;
