import { once } from 'node:events';

/** What a command sees of the machine; tests bring their own. */
export interface World {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly stdin: NodeJS.ReadableStream;
  /** Standard error is a terminal: a bar may be drawn. */
  readonly terminal: boolean;
  /** Results. Resolves when there is room for more. */
  readonly out: (data: string | Uint8Array) => Promise<void>;
  /** Everything else. */
  readonly err: (line: string) => void;
  /** Calls back at each Ctrl-C or SIGTERM; the returned function ends that. */
  readonly onInterrupt: (listener: () => void) => () => void;
}

/** Whoever read our results is gone (`| head`). Nothing more is to do. */
export class OutputClosedError extends Error {}

/** The real one. */
export function processWorld(env: World['env']): World {
  let closed = false;
  process.stdout.on('error', () => (closed = true));
  return {
    env,
    cwd: process.cwd(),
    stdin: process.stdin,
    terminal: process.stderr.isTTY,
    out: async (data) => {
      if (closed) throw new OutputClosedError();
      if (!process.stdout.write(data))
        await Promise.race([once(process.stdout, 'drain'), once(process.stdout, 'close')]);
    },
    err: (line) => void process.stderr.write(`${line}\n`),
    onInterrupt: (listener) => {
      for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, listener);
      return () => {
        for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, listener);
      };
    },
  };
}
