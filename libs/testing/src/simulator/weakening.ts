import type { OfficeEffect, OfficeEvent, OfficeState, hearCoordinator } from '@das/jobs';
import type { MemoryData } from '@das/jobs/memory';
import type { ExecutorEvent, ExecutorState, Step } from '@das/execution';
import type { ElectionStrategy } from '@das/election';
import type { Operations } from './store.js';

export type OfficeStep = (office: OfficeState, event: OfficeEvent, now: number) => OfficeEffect[];
export type ExecutorStep = (state: ExecutorState, event: ExecutorEvent) => Step;

export type CoordinatorStep = typeof hearCoordinator;

/**
 * Takes protections away: wraps what the simulator calls. Products know nothing of it. Absent: whole.
 */
export interface Weakening {
  readonly operations?: (real: Operations, data: MemoryData) => Operations;
  readonly office?: (real: OfficeStep) => OfficeStep;
  readonly executor?: (real: ExecutorStep) => ExecutorStep;
  readonly coordinator?: (real: CoordinatorStep) => CoordinatorStep;
  readonly election?: (real: ElectionStrategy) => ElectionStrategy;
  /** What an executor finds of the highest term after a restart. */
  readonly keptTerm?: (kept: number) => number;
  /** A commit whose answer is lost is given up instead of asked again. */
  readonly commitOnce?: boolean;
  /** What a client that lost its contact does with the rows that it has. */
  readonly forgetfulClient?: boolean;
}
