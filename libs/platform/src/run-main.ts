import { DasError, messageOf } from '@das/kernel';
import { SystemClock } from './clock.js';
import { ConfigError, type Env } from './config.js';
import { environment } from './environment.js';
import type { RunningService, ServiceDefinition } from './service.js';
import { startService } from './start-service.js';

/** After a signal, a service that does not end by itself within this is ended. */
export const closeMaxMs = 10_000;

/** Exit codes of a service: ended by a signal; could not start, or did not end in time; settings are wrong. */
export const exitCodes = { ended: 0, failed: 1, config: 2 } as const;

/** What {@link runMain} needs of the process. */
export interface ProcessHost {
  readonly env: Env;
  exit(code: number): void;
  complain(line: string): void;
  onSignal(listener: () => void): void;
}

const thisProcess = (): ProcessHost => ({
  env: environment(),
  exit: (code) => process.exit(code),
  complain: (line) => void process.stderr.write(`${line}\n`),
  onSignal: (listener) => {
    process.on('SIGTERM', listener);
    process.on('SIGINT', listener);
  },
});

/**
 * Runs one service as the whole of this process, until SIGTERM or SIGINT; a second signal ends it at once.
 * Failing to start it writes one readable line (for settings, one each) to standard error and exits by {@link exitCodes}.
 */
export async function runMain(definition: ServiceDefinition, host: ProcessHost = thisProcess()): Promise<void> {
  // Listened for from the beginning: a signal during the start must end the service gracefully as well.
  const ending = new Ending(host);
  host.onSignal(() => ending.signalled());
  try {
    ending.started(await startService(definition, host.env));
  } catch (error) {
    host.complain(startFailure(definition.name, error));
    host.exit(error instanceof ConfigError ? exitCodes.config : exitCodes.failed);
  }
}

/** Closes the service when both has happened: it has started, and a signal came. */
class Ending {
  #running: RunningService | undefined;
  #signals = 0;

  constructor(private readonly host: ProcessHost) {}

  started(running: RunningService): void {
    this.#running = running;
    if (this.#signals > 0) this.#close(running);
  }

  signalled(): void {
    this.#signals += 1;
    if (this.#signals > 1) return this.host.exit(exitCodes.failed);
    if (this.#running !== undefined) this.#close(this.#running);
  }

  #close(running: RunningService): void {
    const cancel = new SystemClock().timer(closeMaxMs, () => this.host.exit(exitCodes.failed));
    void running.close().then(() => {
      cancel();
      this.host.exit(exitCodes.ended);
    });
  }
}

/** What an operator reads when a service does not start: what happened and what to do, without a stack. */
export function startFailure(service: string, error: unknown): string {
  if (error instanceof ConfigError) {
    const settings = error.faults.map(({ variable, message }) => `  ${variable}: ${message}`);
    return [`${service} could not start; settings are not valid:`, ...settings, `  (${error.hint ?? ''})`].join('\n');
  }
  const hint = error instanceof DasError && error.hint !== undefined ? `; ${error.hint}` : '';
  return `${service} could not start: ${messageOf(error).split('\n')[0] ?? ''}${hint}`;
}
