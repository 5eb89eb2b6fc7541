import { chmod, link, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { nodeIdSchema } from '@das/contracts';
import type { Clock } from '@das/kernel';
import { z } from 'zod';
import { eventually } from './eventually.js';
import { type ProcessIdentity, identify, isAlive, signalProcess } from './process-identity.js';

const identitySchema = z.object({ pid: z.number().int(), started: z.string() });
const serverSchema = z.object({ url: z.string(), process: identitySchema.optional() });

/** `<home>/cluster.json`: what runs in this home, for the command line and for the next start. Holds no secret. */
export const clusterStateSchema = z.object({
  version: z.literal(1),
  state: z.enum(['starting', 'ready', 'stopping']),
  supervisor: identitySchema,
  tokenFile: z.string(),
  nats: serverSchema.optional(),
  postgres: serverSchema.optional().describe('url without user and password'),
  nodes: z.array(
    z.object({
      name: nodeIdSchema,
      rest: z.string().optional(),
      state: z.enum(['starting', 'ready', 'down', 'stopped']),
      process: identitySchema.optional(),
    }),
  ),
});
export type ClusterState = z.infer<typeof clusterStateSchema>;

/** Anyone may pass through to what is theirs (Postgres and scripts run under other uids), only the owner may look around. */
const homeMode = 0o711;
/** What a dead supervisor left is given this long to end by itself (ms). */
const leftoversMs = 5_000;

/** A cluster runs in this home. State: it is untouched. */
export class HomeInUseError extends Error {
  constructor(
    readonly home: string,
    readonly pid: number,
  ) {
    super(`a cluster already runs in ${home} (pid ${pid}); stop it with \`das down\`, or choose another --home`);
    this.name = 'HomeInUseError';
  }
}

export const stateFile = (home: string): string => join(home, 'cluster.json');
export const tokenFile = (home: string): string => join(home, 'token');

/** The recorded state; `undefined` when there is none, or it is not one of ours. */
export async function readState(home: string): Promise<ClusterState | undefined> {
  const text = await readFile(stateFile(home), 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    return clusterStateSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** Replaces the state in one step: a reader sees the old or the new one, whole. */
export async function writeState(home: string, state: ClusterState): Promise<void> {
  const fresh = await writeAside(home, state);
  await rename(fresh, stateFile(home));
}

export async function removeState(home: string): Promise<void> {
  await rm(stateFile(home), { force: true });
}

/**
 * Takes the home for this process. What a dead supervisor left behind is ended and forgotten.
 * @throws HomeInUseError when a living supervisor has it.
 */
export async function claimHome(home: string, state: ClusterState, clock: Clock): Promise<void> {
  await mkdir(home, { recursive: true, mode: homeMode });
  await chmod(home, homeMode);
  const old = await readState(home);
  if (old && (await isAlive(old.supervisor))) throw new HomeInUseError(home, old.supervisor.pid);
  if (old) await endLeftovers(old, clock);
  await removeState(home);
  const fresh = await writeAside(home, state);
  try {
    // A link fails if the name exists: of two supervisors that start at the same moment one gets the home.
    await link(fresh, stateFile(home));
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== 'EEXIST') throw thrown;
    throw new HomeInUseError(home, (await readState(home))?.supervisor.pid ?? 0);
  } finally {
    await rm(fresh, { force: true });
  }
}

/** Processes of a cluster whose supervisor is gone end by themselves; those that hang are killed. */
async function endLeftovers(state: ClusterState, clock: Clock): Promise<void> {
  const processes = [...state.nodes, state.nats, state.postgres].flatMap((part) => part?.process ?? []);
  const gone = async () => !(await Promise.all(processes.map(isAlive))).includes(true);
  if (await eventually(gone, { clock, withinMs: leftoversMs })) return;
  for (const left of processes) if (await isAlive(left)) signalProcess(left.pid, 'SIGKILL');
  await eventually(gone, { clock, withinMs: leftoversMs });
}

async function writeAside(home: string, state: ClusterState): Promise<string> {
  const fresh = join(home, `cluster.json.${state.supervisor.pid}`);
  await writeFile(fresh, `${JSON.stringify(state, undefined, 2)}\n`, { mode: 0o600 });
  return fresh;
}

/** Who we are, for the state file. */
export async function thisProcess(): Promise<ProcessIdentity> {
  return (await identify(process.pid)) ?? { pid: process.pid, started: '' };
}
