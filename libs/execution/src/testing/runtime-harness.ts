import type { Exit } from '../core/failures.js';
import type { RuntimeWorker, ScriptJob, ScriptText, Work } from '../ports/runtime.js';
import type { Heard } from './runtime-parts.js';

/** A started worker with the means to end it, and what it printed. */
export interface WorkerHarness {
  readonly worker: RuntimeWorker;
  /** Everything printed so far. */
  prints(): string;
  /** Asks the worker to end, then ends it; resolves when it is gone. */
  cancel(): Promise<Exit>;
  kill(): void;
}
export interface RuntimeHarness {
  /** How a script of the suite is loaded, where its text alone does not say it. */
  readonly more?: Partial<ScriptJob>;
  /** A worker that knows no script. */
  fresh(): Promise<WorkerHarness>;
  close(): Promise<void>;
}

/** What the rules of the contract are given. */
export interface Given {
  /** As Jest's, but for what the runtime cannot do. */
  readonly it: (title: string, test: () => Promise<void>, timeoutMs?: number) => void;
  fresh(): Promise<WorkerHarness>;
  /** The script as the runtime wants it. */
  code(text: string): ScriptText;
  /** A worker that knows the script. */
  load(text: string, params?: Record<string, unknown>): Promise<WorkerHarness>;
  /** Runs one part by a worker of its own. */
  mapped(text: string, work: Work): Promise<Heard>;
}
