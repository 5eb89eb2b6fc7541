/** What a command sees of the machine; tests bring their own. */
export interface World {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly stdin: NodeJS.ReadableStream;
  /** Standard error is a terminal: a bar may be drawn. */
  readonly terminal: boolean;
  /** Results. Resolves when they are handed over. @throws OutputClosedError, OutputError. */
  readonly out: (data: string | Uint8Array) => Promise<void>;
  /** Everything else. */
  readonly err: (line: string) => void;
  /** Calls back at each Ctrl-C, SIGTERM, or loss of the terminal; the returned function ends that. Without a listener they end the process. */
  readonly onInterrupt: (listener: () => void) => () => void;
}

/** Whoever read our results is gone (`| head`). Nothing more is to do. */
export class OutputClosedError extends Error {}

/** A result could not be written. State: the job and its result are untouched. */
export class OutputError extends Error {
  constructor(
    message: string,
    readonly details: { readonly hint?: string } = {},
  ) {
    super(message);
    this.name = 'OutputError';
  }
}

const reasons: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EISDIR: 'it is a folder',
  ELOOP: 'its links lead in a circle',
  ENAMETOOLONG: 'its name is too long',
  ENOENT: 'its folder does not exist',
  ENOSPC: 'no space is left',
  ENOTDIR: 'its folder is a file',
  EROFS: 'the file system is read-only',
};
const closed: ReadonlySet<string | undefined> = new Set([
  'EPIPE',
  'ERR_STREAM_DESTROYED',
  'ERR_STREAM_WRITE_AFTER_END',
]);

/** What a failed write means. `where`: as the user named it. */
export function outputFault(where: string, thrown: unknown): Error {
  if (thrown instanceof OutputError) return thrown;
  const { code } = thrown as NodeJS.ErrnoException;
  if (closed.has(code)) return new OutputClosedError();
  return new OutputError(`${where} cannot be written (${reasons[code ?? ''] ?? code ?? 'unknown'})`);
}

const interrupts = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** The real one. */
export function processWorld(env: World['env']): World {
  // A write tells its own failure; without a listener the same failure would end the process with a stack.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
  return {
    env,
    cwd: process.cwd(),
    stdin: process.stdin,
    terminal: process.stderr.isTTY,
    out: (data) =>
      new Promise((resolve, reject) => {
        process.stdout.write(data, (error) => {
          if (error) reject(outputFault('standard output', error));
          else resolve();
        });
      }),
    err: (line) => void process.stderr.write(`${line}\n`),
    onInterrupt: (listener) => {
      for (const signal of interrupts) process.on(signal, listener);
      return () => {
        for (const signal of interrupts) process.off(signal, listener);
      };
    },
  };
}
