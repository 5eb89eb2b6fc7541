/** The user's script: loaded once in a worker's life, its functions called as they want to be called. */
import { functionNames, spellings } from './functions.mjs';
import { loadModules } from './modules.mjs';
import { ExitRequest, describe } from './failures.mjs';
import { LockError, LockLost, LockTimeout } from './locks.mjs';

/** The script lacks what the part needs: no node could run it. */
export class Missing extends Error {}

const changing = ['part', 'attempt', 'decisionId', 'traceparent'];

/** What a script may know of the job it runs for: `import das from 'das'`. */
function makeDas({ params, node, job }, state) {
  return {
    ...{ params, node, job, part: null, attempt: null, decisionId: null, traceparent: null },
    ...{ LockError, LockTimeout, LockLost, lock: state.locks.lock, signal: state.signal },
    cancelled: () => state.cancelled,
    /** Says that work goes on, so that the attempt is not taken for stuck. */
    progress: (share) => {
      if (share !== undefined && !Number.isFinite(share))
        throw new TypeError('das.progress: a share is a number from 0 to 1');
      state.advance();
    },
  };
}

export class Script {
  #reject;
  #functions = new Map();

  constructor(head, state, sources) {
    this.params = head.params;
    this.sources = sources;
    this.das = makeDas(head, state);
    process.exit = (code) => {
      throw new ExitRequest(code);
    };
    for (const event of ['uncaughtException', 'unhandledRejection'])
      process.on(event, (thrown) => this.#astray(thrown));
  }

  async load(head, tools) {
    this.modules = await loadModules(head, {
      ...tools,
      das: this.das,
      sources: this.sources,
      wait: (promise) => this.wait(promise),
    });
    for (const name of functionNames) this.#functions.set(name, found(this.modules.exported, name));
  }

  has(name) {
    return this.#functions.get(name) !== undefined;
  }

  /** Tells the script which part it works for. */
  begin({ part, attempt, decisionId = null, traceparent = null }) {
    Object.assign(this.das, { part, attempt, decisionId, traceparent });
    for (const name of changing) this.modules.tell(name, this.das[name]);
    if (traceparent === null) delete process.env.TRACEPARENT;
    else process.env.TRACEPARENT = traceparent;
  }

  /** The function of that name; `params` is its last argument. @throws Missing. */
  caller(name) {
    const call = this.#functions.get(name);
    if (call === undefined) throw new Missing(`the script exports no function ${spellings(name)[0]}`);
    const { params } = this;
    if (name === 'combine' || name === 'reduce') return (key, values) => call(key, values, params);
    return name === 'main' || name === 'split' ? () => call(params) : (given) => call(given, params);
  }

  /** What is thrown beside the call that runs (by a callback, by a promise that nobody awaits) fails that call. */
  async wait(promise) {
    try {
      return await new Promise((resolve, reject) => {
        this.#reject = reject;
        promise.then(resolve, reject);
      });
    } finally {
      this.#reject = undefined;
    }
  }

  #astray(thrown) {
    if (this.#reject !== undefined) return this.#reject(thrown);
    const { message, traceback } = describe(thrown, this.sources);
    process.stderr.write(`nobody caught: ${traceback ?? message}\n`);
  }

  /** A promise awaited, a generator as a list; anything else as it is. */
  async settled(value) {
    const given = isPromise(value) ? await this.wait(value) : value;
    return isGenerator(given) ? this.listed(given) : given;
  }

  /** Everything that iterates, as a list; undefined: it does not. */
  async listed(given) {
    const iterable = isPromise(given) ? await this.wait(given) : given;
    if (Array.isArray(iterable)) return iterable;
    if (typeof iterable === 'object' && iterable?.[Symbol.iterator] !== undefined) return [...iterable];
    if (iterable?.[Symbol.asyncIterator] === undefined) return undefined;
    return this.wait(Array.fromAsync ? Array.fromAsync(iterable) : collected(iterable));
  }

  /** Elements one by one, of anything that iterates, also of what is asynchronous. */
  async *each(iterable) {
    if (iterable[Symbol.asyncIterator] === undefined) {
      yield* iterable;
      return;
    }
    const iterator = iterable[Symbol.asyncIterator]();
    for (;;) {
      const { done, value } = await this.wait(iterator.next());
      if (done) return;
      yield value;
    }
  }
}

async function collected(iterable) {
  const list = [];
  for await (const element of iterable) list.push(element);
  return list;
}

/** By its own name, else as a member of what is exported by default. */
function found(exported, name) {
  for (const owner of [exported, exported?.default, exported?.default?.default])
    for (const spelling of spellings(name)) {
      const value = owner?.[spelling];
      if (typeof value === 'function') return owner === exported ? value : value.bind(owner);
    }
  return undefined;
}

export const isPromise = (value) => typeof value?.then === 'function';
export const isGenerator = (value) =>
  typeof value?.next === 'function' && (value[Symbol.iterator] ?? value[Symbol.asyncIterator]) !== undefined;
/** Cheap enough to be asked of every result. */
export const mustSettle = (value) =>
  typeof value === 'object' && value !== null && (isPromise(value) || isGenerator(value));
