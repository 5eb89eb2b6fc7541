import { type NodeView, type Problem, problemSchema } from '@das/contracts';
import { type Clock, messageOf } from '@das/kernel';
import { NoClusterError, ProblemError } from '../errors.js';
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
    private readonly clock: Clock,
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
    if (url === undefined) throw new NoClusterError([]);
    return url;
  }
  get headers(): Record<string, string> {
    const { token } = this.endpoint;
    return token === undefined ? {} : { authorization: `Bearer ${token}` };
  }

  /** @throws ProblemError, NoClusterError. */
  async get<T>(path: string, query: Query = {}): Promise<T> {
    return (await (await this.open(path, query)).json()) as T;
  }

  async delete<T>(path: string): Promise<T> {
    return (await (await this.open(path, {}, { method: 'DELETE' })).json()) as T;
  }

  /** A response whose body is still to be read; the status is a good one. Only for what may be asked twice. */
  async open(path: string, query: Query = {}, init: Init = {}): Promise<Response> {
    const began = this.clock.monotonic();
    let why = '';
    for (let tries = 1; ; tries++) {
      try {
        return await this.#ask(path, query, init);
      } catch (thrown) {
        if (thrown instanceof ProblemError && thrown.problem.status !== 503) throw thrown;
        if (thrown instanceof NoClusterError) throw thrown;
        why = reason(thrown);
        // Nobody ever answered: most likely there is no cluster, and waiting would only hide that.
        const patience = this.#answered ? failoverMs : 0;
        const everyoneTried = tries % this.#urls.length === 0;
        if (everyoneTried && this.clock.monotonic() - began >= patience) {
          throw thrown instanceof ProblemError ? thrown : new NoClusterError(this.#urls, why);
        }
        this.next();
        if (everyoneTried) await this.pause(roundPauseMs);
      }
    }
  }

  /** Turns to another node. */
  next(why = 'does not answer'): void {
    const from = this.current;
    this.#at = (this.#at + 1) % this.#urls.length;
    if (this.current !== from) this.note(`${from} ${why}; asking ${this.current}`);
  }

  pause(ms: number): Promise<void> {
    return new Promise((resolve) => void this.clock.timer(ms, resolve));
  }

  /** Takes note of the cluster's other nodes, so that losing the one we know is no loss. */
  async learn(): Promise<void> {
    const { nodes } = await this.get<{ nodes: NodeView[] }>('/v1/nodes').catch(() => ({ nodes: [] as NodeView[] }));
    for (const { rest, state } of nodes) {
      if (rest !== undefined && state === 'alive' && !this.#urls.includes(rest) && this.#urls.length < urlsMax)
        this.#urls.push(rest);
    }
  }

  #answered = false;

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
      if (!response.ok) throw new ProblemError(problemOf(response.status, await response.text()));
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
