import { eventually, isAlive, readState, removeState, signalProcess } from '@das/supervisor';
import { homeOf } from '../client/endpoint.js';
import type { Context } from '../context.js';

/** Nodes, NATS and Postgres end one after the other; each has its own limit below this (ms). */
const downWithinMs = 60_000;

/** `das down`: stops what `das up` or `das join` started in this home. Nothing running is fine. */
export async function down(context: Context): Promise<void> {
  const { world, options, clock } = context;
  const home = homeOf(options, world);
  const state = await readState(home);
  if (!state || !(await isAlive(state.supervisor))) {
    if (state) await removeState(home);
    return context.print({ home, stopped: false }, `no cluster runs in ${home}`);
  }
  const { supervisor } = state;
  signalProcess(supervisor.pid, 'SIGTERM');
  const gone = await eventually(async () => !(await isAlive(supervisor)), { clock, withinMs: downWithinMs });
  if (!gone)
    throw new Error(`the cluster in ${home} (pid ${supervisor.pid}) did not stop within ${downWithinMs / 1000} s`);
  await context.print({ home, stopped: true }, `stopped the cluster in ${home}`);
}
