import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { Rest } from '../../rest.js';
import type { Network } from './network.js';

/** A program on a host that talks with the test over its control channel, and ends when that closes. */
export function onHost(
  network: Network,
  host: string,
  command: readonly string[],
  env: NodeJS.ProcessEnv,
  log: number | 'ignore' = 'ignore',
): ChildProcess {
  const [file = '', ...args] = network.on(host, command);
  return spawn(file, args, { env, stdio: ['ignore', log, log, 'ipc'] });
}

/** What a child tells first. @throws Error when it ends before. */
export async function firstWord<T>(child: ChildProcess, what: string): Promise<T> {
  const ended = once(child, 'exit').then(([code, signal]) => {
    throw new Error(`${what} ended (${String(code ?? signal)})`);
  });
  const [word] = (await Promise.race([once(child, 'message'), ended])) as [T];
  return word;
}

/** Lets go of a child, which ends by itself then. */
export async function letGo(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  if (child.connected) child.disconnect();
  await gone;
}

interface Reply {
  readonly id: number;
  readonly status?: number;
  readonly body?: string;
  readonly error?: string;
}

/** One request may take this long: what is cut off does not answer. */
const askMs = 5_000;

/** Asks nodes from a host of the network, because the test itself is outside. */
export class User {
  #asked = 0;
  readonly #waiting = new Map<number, (reply: Reply) => void>();

  constructor(private readonly child: ChildProcess) {
    child.on('message', (reply: Reply) => {
      this.#waiting.get(reply.id)?.(reply);
      this.#waiting.delete(reply.id);
    });
  }

  /** A client of the node at this address. */
  rest(url: string, token: string): Rest {
    return new Distant(url, token, this);
  }

  fetch(url: string, init: RequestInit): Promise<Response> {
    this.#asked += 1;
    const id = this.#asked;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, ({ status, body, error }) => {
        if (error === undefined) resolve(new Response(body, { status: status ?? 0 }));
        else reject(new Error(`${url}: ${error}`));
      });
      this.child.send({ id, url, init, timeoutMs: askMs });
    });
  }

  close(): Promise<void> {
    return letGo(this.child);
  }
}

class Distant extends Rest {
  constructor(
    url: string,
    private readonly bearer: string,
    private readonly user: User,
  ) {
    super(url, bearer);
  }
  override raw(path: string, init: RequestInit = {}): Promise<Response> {
    const headers = { authorization: `Bearer ${this.bearer}`, ...(init.headers as Record<string, string> | undefined) };
    return this.user.fetch(`${this.url}${path}`, { ...init, headers });
  }
}
