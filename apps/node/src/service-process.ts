import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Cancel, Clock } from '@das/kernel';
import type { ServiceName } from '@das/platform';
import type { Environment } from './running-node.js';
import type { Notice } from './control.js';

const pauseFirstMs = 250;
const pauseMaxMs = 30_000;
/** A service that lived this long is healthy: its next restart does not wait long (ms). */
const healthyAfterMs = 60_000;
/** A service that has not ended by then is killed (ms). */
const stopWithinMs = 10_000;

export interface ServiceProcessOptions {
  readonly name: ServiceName;
  readonly program: string;
  readonly env: Environment;
  readonly pidFile: string;
  readonly clock: Clock;
  /** A line for the log. */
  readonly note: (message: string) => void;
}

/** One service in a process of its own, started again with a growing pause when it dies alone. */
export class ServiceProcess {
  /** Base URL of its HTTP side; the same after a restart. */
  rest: string | undefined;
  #child: ChildProcess | undefined;
  #wanted = true;
  #failures = 0;
  #cancelRestart: Cancel = () => undefined;

  constructor(private readonly options: ServiceProcessOptions) {}

  get name(): ServiceName {
    return this.options.name;
  }

  /** Resolves when the service runs. @throws Error with the reason the service gave; no process is left. */
  async start(): Promise<void> {
    const { clock, name } = this.options;
    const child = await this.#spawn();
    await new Promise<void>((resolve, reject) => {
      child.on('message', (notice: Notice) => {
        if (notice.kind === 'failed') return reject(new Error(notice.message));
        this.rest = notice.rest ?? this.rest;
        resolve();
      });
      child.once('error', (error) => reject(new Error(`${name}: ${error.message}`)));
      child.once('exit', (code, signal) => reject(new Error(`${name}: its process ended (${code ?? signal})`)));
    });
    const startedAt = clock.monotonic();
    if (child.exitCode !== null || child.signalCode !== null) this.#died(0);
    else child.once('exit', () => this.#died(clock.monotonic() - startedAt));
  }

  /** Ends it in good order, by force after {@link stopWithinMs}. Twice is fine. */
  async stop(): Promise<void> {
    this.#wanted = false;
    this.#cancelRestart();
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
    const cancel = this.options.clock.timer(stopWithinMs, () => child.kill('SIGKILL'));
    const gone = once(child, 'exit');
    child.kill('SIGTERM');
    await gone;
    cancel();
    await rm(this.options.pidFile, { force: true });
  }

  async #spawn(): Promise<ChildProcess> {
    const { name, program, env, pidFile } = this.options;
    const port = this.rest === undefined ? {} : { DAS_REST_PORT: new URL(this.rest).port };
    const child = spawn(process.execPath, [program], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      env: { ...env, ...port, DAS_NODE_PROCESSES: 'single', DAS_NODE_SERVICES: name },
    });
    this.#child = child;
    await mkdir(dirname(pidFile), { recursive: true });
    await writeFile(pidFile, `${child.pid}\n`);
    return child;
  }

  #died(livedMs: number): void {
    const { clock, name, note } = this.options;
    if (!this.#wanted) return;
    this.#failures = livedMs >= healthyAfterMs ? 1 : this.#failures + 1;
    const pauseMs = Math.min(pauseFirstMs * 2 ** Math.min(this.#failures - 1, 10), pauseMaxMs);
    note(`${name} died; starting it again in ${pauseMs} ms`);
    this.#cancelRestart = clock.timer(pauseMs, () => {
      this.start().catch((thrown: unknown) => {
        note(`${name} did not start again: ${String(thrown)}`);
        this.#died(0);
      });
    });
  }
}
