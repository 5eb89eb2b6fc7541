/** Locks of users: `await das.lock(name)`. The executor asks the store; the script waits for its answer. */

const namePattern = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/;
const limitBounds = [0.1, 3600];
const waitBounds = [0, 3600];
const heldMax = 64;

/** The lock cannot be had here, or now. */
export class LockError extends Error {
  name = this.constructor.name;
}
/** The lock was not had in time; the message says who holds it, or what was not reached. */
export class LockTimeout extends LockError {}
/** The lock is not held any more: its limit was over. */
export class LockLost extends LockError {}

/** Those of the part that runs. `run` grows with every part: what an earlier one held is not given back by a later one. */
export class Locks {
  run = 0;
  running = false;
  held = new Map();

  constructor(channel) {
    this.channel = channel;
  }

  begin() {
    this.run += 1;
    this.running = true;
    this.held.clear();
  }

  /** The store frees what the part still held as soon as it takes the part's output. */
  end() {
    this.running = false;
    this.held.clear();
  }

  /** `lock(name, {limit, wait, signal})`, given back by `release()`; or with a function as the last argument, around which it is held. */
  lock = async (name, ...more) => {
    const use = typeof more.at(-1) === 'function' ? more.pop() : undefined;
    const lock = await this.#acquire(name, more[0] ?? {});
    if (use === undefined) return lock;
    try {
      return await use(lock);
    } finally {
      lock.release();
    }
  };

  async #acquire(name, { limit = 30, wait = 60, signal }) {
    const question = {
      op: 'acquire',
      name: checkName(name),
      limitMs: ms('limit', limit, limitBounds),
      waitMs: ms('wait', wait, waitBounds),
    };
    if (!this.running)
      throw new LockError('das.lock works while a function of the script runs, not while it is imported');
    if (this.held.has(name)) throw new LockError(`the lock ${name} is held by this very part already`);
    if (this.held.size >= heldMax) throw new LockError(`a part holds at most ${heldMax} locks at a time`);
    signal?.throwIfAborted();
    const lock = new Lock(this, name, question.limitMs);
    // Taken while it is asked for: the same part must not ask twice.
    this.held.set(name, lock);
    try {
      lock.fence = fenceOf(await this.#answer(question, signal));
      return lock;
    } catch (thrown) {
      if (this.held.get(name) === lock) this.held.delete(name);
      throw thrown;
    }
  }

  async #answer(question, signal) {
    const { answered, drop } = this.channel.ask(question);
    if (signal === undefined) return answered;
    let stop;
    const aborted = new Promise((_, reject) => {
      stop = () => reject(signal.reason);
      signal.addEventListener('abort', stop);
    });
    answered.catch(() => undefined);
    try {
      return await Promise.race([answered, aborted]);
    } catch (thrown) {
      drop();
      // The lock may be had all the same.
      this.channel.tell({ op: 'release', name: question.name });
      throw thrown;
    } finally {
      signal.removeEventListener('abort', stop);
    }
  }
}

/** One lock. `fence` is its fencing token: higher for every later holder, whatever became of the earlier ones. */
class Lock {
  fence;
  #locks;
  #run;
  #limitMs;

  constructor(locks, name, limitMs) {
    this.name = name;
    this.#locks = locks;
    this.#run = locks.run;
    this.#limitMs = limitMs;
  }

  get #held() {
    return this.#locks.run === this.#run && this.#locks.held.get(this.name) === this;
  }

  /** A new limit, from now on (seconds; by default as at first). @throws LockLost when the old one was over. */
  async renew(limit) {
    const limitMs = limit === undefined ? this.#limitMs : ms('limit', limit, limitBounds);
    if (!this.#held) throw new LockLost(`the lock ${this.name} is not held`);
    const question = { op: 'renew', name: this.name, fence: this.fence, limitMs };
    fenceOf(await this.#locks.channel.ask(question).answered);
  }

  release() {
    if (!this.#held) return;
    this.#locks.held.delete(this.name);
    this.#locks.channel.tell({ op: 'release', name: this.name, fence: this.fence });
  }

  /** For `using` and `await using`, where the language has it. */
  [Symbol.dispose ?? Symbol()]() {
    this.release();
  }
  async [Symbol.asyncDispose ?? Symbol()]() {
    this.release();
  }
}

function fenceOf(answer) {
  if ('fence' in answer) return answer.fence;
  const Kind = { timeout: LockTimeout, lost: LockLost }[answer.refusal] ?? LockError;
  throw new Kind(answer.why ?? 'the lock cannot be had');
}

function checkName(name) {
  if (typeof name === 'string' && namePattern.test(name)) return name;
  throw new RangeError(
    `das.lock: a name has 1 to 128 letters, digits, ".", "_", ":" or "-", the first a letter or digit; not ${JSON.stringify(name)?.slice(0, 200)}`,
  );
}

function ms(what, seconds, [low, high]) {
  if (typeof seconds === 'number' && low <= seconds && seconds <= high) return Math.round(seconds * 1000);
  throw new RangeError(
    `das.lock: ${what} is a number of seconds from ${low} to ${high}, not ${String(seconds).slice(0, 100)}`,
  );
}
