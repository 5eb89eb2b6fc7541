import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

/** A server to end when the supervisor is gone, and the signal that ends it in good order. */
export interface Ward {
  readonly pid: number;
  readonly signal: 'INT' | 'TERM';
}

/** Keeps the newest line of its input; when the input ends, ends the processes that the line names. */
const script =
  'while IFS= read -r line; do wards=$line; done; for w in $wards; do kill -s "${w%%:*}" "${w##*:}" 2>/dev/null; done; :';

/**
 * Ends servers that know nothing of us (nats-server, Postgres) when the supervisor dies, even by SIGKILL: a shell of its own session waits
 * for the end of a pipe that only the supervisor holds.
 */
export class Guardian {
  readonly #shell: ChildProcess;

  constructor() {
    // An own session: a Ctrl-C in the terminal, or a kill of the supervisor's group, must not end the guardian first.
    this.#shell = spawn('/bin/sh', ['-c', script], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] });
    // The guardian killed by hand: the supervisor goes on without it.
    this.#shell.stdin?.on('error', () => undefined);
    this.#shell.on('error', () => undefined);
  }

  get pid(): number {
    return this.#shell.pid ?? 0;
  }

  /** Replaces the list of servers to end. */
  watch(wards: readonly Ward[]): void {
    // Pid 0 would mean the guardian's own group.
    const living = wards.filter(({ pid }) => pid > 0);
    this.#shell.stdin?.write(`${living.map(({ pid, signal }) => `${signal}:${pid}`).join(' ')}\n`);
  }

  /** Ends the guardian without ending anything else. */
  async dismiss(): Promise<void> {
    if (this.#shell.exitCode !== null || this.#shell.signalCode !== null || this.#shell.pid === undefined) return;
    const gone = once(this.#shell, 'exit');
    this.#shell.stdin?.end('\n');
    await gone;
  }
}
