import type { SandboxLayer } from '@das/contracts';
import type { PlaceLimits, WorkerPools } from '@das/execution';
import type { Clock, NodeId } from '@das/kernel';
import type { LockClient } from '@das/platform';
import type { HoldLedger } from './hold-ledger.js';
import type { JobCode } from './job-code.js';
import type { JobLogs } from './job-logs.js';
import type { StoreClient } from './store-client.js';

/** What attempts share. */
export interface AttemptTools {
  readonly node: NodeId;
  readonly newId: () => string;
  readonly clock: Clock;
  readonly pools: WorkerPools;
  /** What keeps the workers in. */
  readonly sandbox: SandboxLayer;
  /** The most that any job may use of a worker here. */
  readonly limits: PlaceLimits;
  readonly store: StoreClient;
  readonly locks: LockClient;
  readonly code: JobCode;
  readonly ledger: HoldLedger;
  readonly logs: JobLogs;
}
