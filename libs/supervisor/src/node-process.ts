import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync } from 'node:fs';
import { type Cancel, type Clock, type NodeId, messageOf } from '@das/kernel';
import { z } from 'zod';
import { type Backoff, afterDeath, noFailures } from './core/backoff.js';
import { pause } from './eventually.js';
import { lastLine, openLog } from './log-file.js';
import { ReadyProbe } from './ready-probe.js';

/** A node that is not ready by then failed to start (ms). */
const readyWithinMs = 60_000;
/** A node that has not ended by then is killed (ms): its services close what they hold within it. */
const stopWithinMs = 15_000;

/** What a node process tells over its control channel. */
const noticeSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('started'), rest: z.string().optional() }),
  z.object({ kind: z.literal('failed'), message: z.string() }),
]);

export type NodeState = 'starting' | 'ready' | 'down' | 'stopped';

/** One node of a cluster. */
export interface NodeHandle {
  readonly name: NodeId;
  readonly state: NodeState;
  /** 0 when it does not run. */
  readonly pid: number;
  /** Base URL of its REST front door, once known; the same after a restart. */
  readonly rest: string | undefined;
  readonly logFile: string;
  /** Sends the signal and resolves when the process is gone. It stays down until {@link restart}. */
  kill(signal: NodeJS.Signals): Promise<void>;
  /** Ends it if it runs, and starts it again. @throws Error in words when it does not become ready; it is down then. */
  restart(): Promise<void>;
}

export interface NodeOptions {
  readonly name: NodeId;
  readonly program: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly logFile: string;
  /** Start it again when it dies by itself. */
  readonly revive: boolean;
  readonly clock: Clock;
  /** Something about it changed: state, pid or URL. */
  readonly changed: () => void;
  /** Told in words that it died, and that it is back. */
  readonly note: (message: string) => void;
}

/** Runs one node as a child that ends with us: its control channel closes when this process dies, however it dies. */
export class NodeProcess implements NodeHandle {
  state: NodeState = 'stopped';
  rest: string | undefined;
  #child: ChildProcess | undefined;
  #wanted = false;
  #backoff: Backoff = noFailures;
  #cancelRevival: Cancel = () => undefined;

  constructor(private readonly options: NodeOptions) {}

  get name(): NodeId {
    return this.options.name;
  }
  get logFile(): string {
    return this.options.logFile;
  }
  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  /** Resolves when the node is ready. @throws Error in words; no process is left. */
  async start(): Promise<void> {
    this.#wanted = true;
    try {
      await this.#startOnce();
    } catch (thrown) {
      await this.kill('SIGKILL');
      throw new Error(`${this.name} did not start: ${messageOf(thrown)}`, { cause: thrown });
    }
  }

  /** Ends it in good order, by force after {@link stopWithinMs}. Twice is fine. */
  async stop(): Promise<void> {
    await this.#end('SIGTERM');
    this.#move('stopped');
  }

  async kill(signal: NodeJS.Signals): Promise<void> {
    await this.#end(signal);
    this.#move('down');
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  async #startOnce(): Promise<void> {
    const { clock } = this.options;
    this.#move('starting');
    const child = this.#spawn();
    const failed = new Promise<never>((_, reject) => {
      child.once('error', reject);
      child.once('exit', (code, signal) =>
        reject(new Error(lastLine(this.logFile) ?? `it exited (${code ?? signal})`)),
      );
    });
    const probe = new ReadyProbe(clock);
    const cancel = clock.timer(readyWithinMs, () =>
      child.emit('error', new Error(`not ready after ${readyWithinMs / 1000} s: ${probe.waitsFor}`)),
    );
    try {
      await Promise.race([this.#started(child).then(() => this.#answers(probe)), failed]);
    } finally {
      cancel();
      probe.stop();
    }
    const readyAt = clock.monotonic();
    child.once('exit', (code, signal) => this.#died(clock.monotonic() - readyAt, code ?? signal));
    this.#move('ready');
  }

  #spawn(): ChildProcess {
    const { program, env } = this.options;
    const log = openLog(this.logFile);
    try {
      // An own process group: a Ctrl-C in the terminal goes to the supervisor alone, which stops things in order.
      const child = spawn(process.execPath, [program], {
        detached: true,
        stdio: ['ignore', log, log, 'ipc'],
        env: { ...env, ...(this.rest === undefined ? {} : { DAS_REST_PORT: new URL(this.rest).port }) },
      });
      child.once('exit', () => {
        if (this.#child === child) this.#child = undefined;
      });
      this.#child = child;
      this.options.changed();
      return child;
    } finally {
      closeSync(log);
    }
  }

  #started(child: ChildProcess): Promise<void> {
    return new Promise((resolve, reject) => {
      child.on('message', (message) => {
        const notice = noticeSchema.safeParse(message);
        if (!notice.success) return;
        if (notice.data.kind === 'failed') return reject(new Error(notice.data.message));
        this.rest = notice.data.rest;
        resolve();
      });
    });
  }

  async #answers(probe: ReadyProbe): Promise<void> {
    if (this.rest !== undefined) await probe.answers(this.rest, readyWithinMs);
  }

  #died(livedMs: number, how: number | string | null): void {
    if (!this.#wanted) return;
    const { revive, note } = this.options;
    this.#move('down');
    note(`${this.name} died (${how ?? 'unknown'})${revive ? '; starting it again' : ''}`);
    if (revive) void this.#revive(livedMs);
  }

  async #revive(livedMs: number): Promise<void> {
    const { clock, note } = this.options;
    for (let lived = livedMs; this.#wanted; lived = 0) {
      const { backoff, pauseMs } = afterDeath(this.#backoff, lived);
      this.#backoff = backoff;
      await Promise.race([pause(clock, pauseMs), new Promise<void>((resolve) => (this.#cancelRevival = resolve))]);
      if (!this.#wanted) return;
      const fault = await this.#startOnce().then(
        () => undefined,
        (thrown: unknown) => messageOf(thrown),
      );
      if (fault === undefined) return note(`${this.name} is back`);
      note(`${this.name} did not start again: ${fault}`);
      this.#child?.kill('SIGKILL');
    }
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    this.#wanted = false;
    this.#cancelRevival();
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
    const cancel = this.options.clock.timer(stopWithinMs, () => child.kill('SIGKILL'));
    const gone = once(child, 'exit');
    child.kill(signal);
    await gone;
    cancel();
  }

  #move(state: NodeState): void {
    this.state = state;
    this.options.changed();
  }
}
