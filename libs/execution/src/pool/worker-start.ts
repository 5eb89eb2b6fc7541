import type { Clock } from '@das/kernel';
import type { PlaceLimits } from '../core/bounds.js';
import type { Warden } from '../launch/warden.js';
import type { LaunchedProcess, Launcher, Place } from '../ports/launch.js';
import type { Furnished, Runtime } from '../ports/runtime.js';
import { PooledWorker, type WorkerLimits } from './pooled-worker.js';
import type { Scratch } from './scratch.js';

export interface StartOptions {
  readonly runtime: Runtime;
  readonly launcher: Launcher;
  readonly warden: Pick<Warden, 'claim' | 'release' | 'watch' | 'limit' | 'struck' | 'end'>;
  readonly scratch: Scratch;
  readonly clock: Clock;
  readonly newId: () => string;
  /** The most that any job may use here. */
  readonly limits: PlaceLimits;
  /** Told when a worker cannot be started, or what it leaves cannot be removed. */
  readonly onFault: (error: unknown) => void;
}

/** A process at its place, that nobody watches yet. */
interface Started {
  readonly process: LaunchedProcess;
  readonly place: Place;
  readonly furnished: Furnished;
}

/** A worker under an account of its own, in a folder of its own; `network`: its job may use the network. @throws what went wrong; nothing of it is left. */
export async function startWorker(options: StartOptions, network = false): Promise<PooledWorker> {
  const uid = await options.warden.claim();
  return watched(options, uid, await startAs(options, uid, network));
}

/** @throws what went wrong; no folder and no open file is left then, and the account is free. */
async function startAs(options: StartOptions, uid: number | null, network: boolean): Promise<Started> {
  const { runtime, launcher, warden, scratch, newId, limits, onFault } = options;
  const mark = newId();
  const undo: Array<() => Promise<void>> = [];
  try {
    const folder = await scratch.folder(mark, uid);
    undo.unshift(() => scratch.remove(folder));
    const place = { folder, mark, limits, network, account: uid === null ? undefined : { uid, gid: uid } };
    const furnished = await runtime.furnish(place);
    undo.unshift(() => furnished.close());
    return { process: await launcher.launch(runtime.command(place), place), place, furnished };
  } catch (error) {
    await tidied(undo, onFault);
    if (uid !== null) warden.release(uid);
    throw error;
  }
}

/** From here on the warden ends the worker, removes its folder and frees its account. */
function watched(options: StartOptions, uid: number | null, { process, place, furnished }: Started): PooledWorker {
  const { runtime, warden, scratch, clock, onFault } = options;
  const { pid } = process;
  warden.watch({ pid, uid, folder: place.folder, mark: place.mark, limits: place.limits });
  const ended = process.exited.then(() => warden.end(pid));
  const gone = process.exited.then(async (exit) => {
    await ended;
    await tidied([() => furnished.close(), () => scratch.remove(place.folder)], onFault);
    return exit;
  });
  const group = {
    limit: async (limits: WorkerLimits) => {
      await warden.limit(pid, limits);
      if (limits.scratchBytes !== place.limits.scratchBytes) await process.resize(limits.scratchBytes);
    },
    struck: () => warden.struck(pid),
    ended,
  };
  return new PooledWorker(process, runtime.attach(process, place, furnished), gone, clock, group);
}

/** What cannot be tidied up is told, and stops nothing else. */
async function tidied(acts: ReadonlyArray<() => Promise<void>>, onFault: StartOptions['onFault']): Promise<void> {
  for (const act of acts) await act().catch(onFault);
}
