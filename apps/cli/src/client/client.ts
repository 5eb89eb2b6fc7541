import { type NodeView, type Problem, problemSchema } from '@das/contracts';
import { type Clock, messageOf } from '@das/kernel';
import { ProblemError, lostCluster, silentCluster, unknownCluster } from '../errors.js';
import type { Endpoint } from './endpoint.js';

/** How long a read goes round the nodes before it gives up: a node that starts again is back within it (ms). */
const failoverMs = 30_000;
const roundPauseMs = 500;
/** A node that does not begin to answer by then is taken for dead (ms). */
const answerWithinMs = 20_000;
/** More nodes than that are not remembered. */
const urlsMax = 64;

interface Init {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Ends the reading of the body too. */
  readonly signal?: AbortSignal | undefined;
}
export type Query = Readonly<Record<string, string | number | undefined>>;

/** Talks to any node of a cluster; when one is gone, to the next. */
export class Client {
  readonly #urls: string[];
  #at = 0;

  constructor(
    private readonly endpoint: Endpoint,
    readonly clock: Clock,
    private readonly note: (message: string) => void = () => undefined,
  ) {
    this.#urls = [...endpoint.urls];
  }

  get urls(): readonly string[] {
    return this.#urls;
  }
  /** The node asked first. */
  get current(): string {
    const url = this.#urls[this.#at];
    if (url === undefined) throw unknownCluster(this.endpoint.home);
    return url;
  }
  get headers(): Record<string, string> {
    const { token } = this.endpoint;
    return token === undefined ? {} : { authorization: `Bearer ${token}` };
  }

  /** @throws ProblemError, NoClusterError. */
  async get<T>(path: string, query: Query = {}, signal?: AbortSignal): Promise<T> {
    return (await (await this.open(path, query, { signal })).json()) as T;
  }

  async delete<T>(path: string, signal?: AbortSignal): Promise<T> {
    return (await (await this.open(path, {}, { method: 'DELETE', signal })).json()) as T;
  }

  /** Only for what may be asked twice: another node may be asked when one does not answer. */
  async post<T>(path: string, body: unknown): Promise<T> {
    const headers = { 'content-type': 'application/json' };
    const init = { method: 'POST', headers, body: JSON.stringify(body) };
    return (await (await this.open(path, {}, init)).json()) as T;
  }

  /** A response whose body is still to be read; the status is a good one. Only for what may be asked twice. @throws ProblemError, NoClusterError. */
  async open(path: string, query: Query = {}, init: Init = {}): Promise<Response> {
    const began = this.clock.monotonic();
    const first = this.current;
    for (let tries = 1; ; tries++) {
      try {
        const response = await this.#ask(path, query, init);
        this.#answeredBy(first);
        return response;
      } catch (thrown) {
        init.signal?.throwIfAborted();
        if (thrown instanceof ProblemError && thrown.problem.status !== 503) throw thrown;
        const everyoneTried = tries % this.#urls.length === 0;
        if (everyoneTried) this.#askAgain(thrown, began);
        this.#turn();
        if (everyoneTried) await this.pause(roundPauseMs);
      }
    }
  }

  /** Turns to another node, in the middle of an answer. */
  next(why: string): void {
    const from = this.current;
    this.#turn();
    if (this.current !== from) this.note(`${from} ${why}; asking ${this.current}`);
  }

  /** What a refusal says, in words for who asked. */
  problem(status: number, text: string): ProblemError {
    const problem = problemOf(status, text);
    const { tokenFrom } = this.endpoint;
    if (problem.code !== 'UNAUTHORIZED' || tokenFrom === undefined) return new ProblemError(problem);
    const detail = `the token of ${tokenFrom} is not that of the cluster at ${this.current}`;
    const hint = 'DAS_TOKEN, DAS_TOKEN_FILE or --home name the right one; `das up` told where its token is kept';
    const { field: _field, expected: _expected, ...rest } = problem;
    return new ProblemError({ ...rest, detail, hint });
  }

  /** Whether the node that a response is from answers at all; a frozen one takes connections and is silent. */
  async stillAnswers({ url }: Response): Promise<boolean> {
    const late = new AbortController();
    const cancel = this.clock.timer(answerWithinMs, () => late.abort());
    try {
      await (await fetch(new URL('/health/live', url), { signal: late.signal })).text();
      return true;
    } catch {
      return false;
    } finally {
      cancel();
    }
  }

  pause(ms: number): Promise<void> {
    return new Promise((resolve) => void this.clock.timer(ms, resolve));
  }

  /** Takes note of the cluster's other nodes, so that losing the one we know is no loss. */
  async learn(signal?: AbortSignal): Promise<void> {
    const none = { nodes: [] as NodeView[] };
    const { nodes } = await this.get<{ nodes: NodeView[] }>('/v1/nodes', {}, signal).catch(() => none);
    for (const { rest, state } of nodes) {
      if (rest !== undefined && state === 'alive' && !this.#urls.includes(rest) && this.#urls.length < urlsMax)
        this.#urls.push(rest);
    }
  }

  #answered = false;
  #searching = false;

  #turn(): void {
    this.#at = (this.#at + 1) % this.#urls.length;
  }

  /** Nobody answered in a whole round. Said once, however long it lasts. @throws when it lasts too long. */
  #askAgain(thrown: unknown, began: number): void {
    const why = thrown instanceof ProblemError ? thrown.message : reason(thrown);
    // Nobody ever answered: most likely there is no cluster, and waiting would only hide that.
    if (!this.#answered)
      throw thrown instanceof ProblemError ? thrown : silentCluster(this.#urls, why, this.endpoint.home);
    if (this.clock.monotonic() - began >= failoverMs)
      throw thrown instanceof ProblemError ? thrown : lostCluster(this.#urls, why, failoverMs / 1000);
    if (!this.#searching) this.note(`no node answers (${why}); trying for ${failoverMs / 1000} s`);
    this.#searching = true;
  }

  #answeredBy(first: string): void {
    if (this.#searching) this.note(`${this.current} answers`);
    else if (this.current !== first) this.note(`${first} does not answer; asking ${this.current}`);
    this.#searching = false;
  }

  async #ask(path: string, query: Query, init: Init): Promise<Response> {
    const given = Object.entries(query).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, String(value)] as [string, string]],
    );
    const search = given.length === 0 ? '' : `?${new URLSearchParams(given).toString()}`;
    const late = new AbortController();
    const cancel = this.clock.timer(answerWithinMs, () => late.abort(new Error('no answer in time')));
    try {
      const headers = { ...this.headers, ...init.headers };
      const response = await fetch(`${this.current}${path}${search}`, {
        ...init,
        headers,
        signal: AbortSignal.any([late.signal, ...(init.signal ? [init.signal] : [])]),
      });
      this.#answered = true;
      if (!response.ok) throw this.problem(response.status, await response.text());
      return response;
    } finally {
      cancel();
    }
  }
}

/** The problem document of a refusal, or one made of whatever else came. */
export function problemOf(status: number, text: string): Problem {
  try {
    const parsed = problemSchema.safeParse(JSON.parse(text));
    if (parsed.success) return parsed.data;
  } catch {
    // Not JSON: a proxy, or something that is no node at all.
  }
  const detail = `the node answered ${status}${text.trim() === '' ? '' : `: ${text.trim().slice(0, 300)}`}`;
  return { type: 'about:blank', title: 'Not understood', status, detail, code: 'INTERNAL' };
}

/** `fetch` hides the reason in the cause. */
export function reason(thrown: unknown): string {
  const { cause, code } = thrown as { cause?: NodeJS.ErrnoException; code?: string };
  const known = cause?.code ?? code;
  return known === 'ECONNREFUSED' ? 'connection refused' : (known ?? messageOf(cause?.message ?? thrown));
}
