import type { ChildProcess } from 'node:child_process';
import type { Clock } from '@das/kernel';
import { eventually, readState, signalProcess } from '@das/supervisor';
import type { World } from '../world.js';

/** A detached cluster that is not ready by then has failed (ms). */
export const detachedReadyMs = 120_000;
/** A start that is broken off ends what it began; each has its own limit below this (ms). */
const stopWithinMs = 60_000;

/** How a start in the background came out. After `interrupted` and `late` the child was ended. */
export type StartOutcome = 'ready' | 'exited' | 'interrupted' | 'late';

interface Tools {
  readonly world: Pick<World, 'err' | 'onInterrupt'>;
  readonly clock: Clock;
}

/** Waits for a supervisor to say that its cluster is ready; an interrupt, or too long a wait, ends it. @throws Error when it cannot be ended. */
export async function detachedStart(child: ChildProcess, home: string, tools: Tools): Promise<StartOutcome> {
  const { world, clock } = tools;
  let [exited, interrupted] = [false, false];
  child.once('exit', () => (exited = true));
  // It has a session of its own, so the terminal's Ctrl-C reaches only us.
  const deaf = world.onInterrupt(() => (interrupted = true));
  const over = async (): Promise<boolean> => exited || interrupted || (await isReady(child, home));
  const settled = await eventually(over, { clock, withinMs: detachedReadyMs }).finally(deaf);
  if (exited) return 'exited';
  if (settled && !interrupted) return 'ready';
  world.err('stopping …');
  if (child.pid !== undefined) signalProcess(child.pid, 'SIGTERM');
  if (await eventually(async () => exited, { clock, withinMs: stopWithinMs }))
    return interrupted ? 'interrupted' : 'late';
  throw new Error(`the start in ${home} (pid ${child.pid}) did not stop within ${stopWithinMs / 1000} s`);
}

async function isReady({ pid }: ChildProcess, home: string): Promise<boolean> {
  const state = await readState(home);
  return state?.supervisor.pid === pid && state?.state === 'ready';
}
