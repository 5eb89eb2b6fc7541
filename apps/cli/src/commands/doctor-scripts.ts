import { execFile } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { promisify } from 'node:util';
import { stateFile } from '@das/supervisor';
import type { Grouped, NodeView } from '@das/contracts';
import { homeOf } from '../client/endpoint.js';
import type { Context } from '../context.js';
import type { Finding } from './doctor.js';

const run = promisify(execFile);
const programTimeoutMs = 5_000;
/** As the executor's DAS_SCRIPT_UID_BASE has it. */
const uidBase = 64_000;

/** Who runs scripts here, and as whom: found as the executor finds it, which may be another Python than the shell's. */
export async function scriptFindings(context: Context): Promise<Finding[]> {
  const owner = await ownerOf(context);
  return [await pythonFinding(context, owner === 0), await bwrapFinding(context)];
}

/** @throws InterpreterMissingError, in the executor's own words. */
async function pythonFinding({ world, clock }: Context, asRoot: boolean): Promise<Finding> {
  const { env } = world;
  // Only here: no other command should wait for it to be loaded.
  const { findPython, probeUid } = await import('@das/execution');
  const uid = asRoot && process.getuid?.() === 0 ? probeUid(Number(env['DAS_SCRIPT_UID_BASE']) || uidBase) : undefined;
  const chosen = env['DAS_PYTHON'] || undefined;
  const jobs = await findPython({ chosen, path: env['PATH'], uid, clock });
  const found = `${jobs.version} ${jobs.path} runs the scripts`;
  const shell = await shellPython(env);
  if (chosen !== undefined || shell === undefined || shell === jobs.path)
    return { level: 'ok', what: 'python', says: found };
  const says = `${found}, not ${shell}, which is first on PATH but not for the account of scripts: what is installed there they do not have (DAS_PYTHON names another)`;
  return { level: 'warning', what: 'python', says };
}

async function shellPython(env: NodeJS.ProcessEnv): Promise<string | undefined> {
  const asked = run('python3', ['-c', 'import sys; print(sys.executable)'], { timeout: programTimeoutMs, env });
  return asked.then(
    ({ stdout }) => stdout.trim(),
    () => undefined,
  );
}

/** What keeps scripts in, at its best. Whether it works is told by the nodes, which have tried. */
async function bwrapFinding({ world: { env } }: Context): Promise<Finding> {
  const what = 'bubblewrap';
  return run('bwrap', ['--version'], { timeout: programTimeoutMs, env }).then(
    ({ stdout }): Finding => ({ level: 'ok', what, says: stdout.trim() }),
    (): Finding => ({
      level: 'warning',
      what,
      says: 'not found: nodes here keep scripts in by Landlock, which is weaker (apt-get install bubblewrap)',
    }),
  );
}

/** What keeps scripts in on the nodes of the cluster, the weakest by name. */
export function sandboxFindings(nodes: readonly NodeView[]): Finding[] {
  const alive = nodes.filter(({ state }) => state === 'alive');
  const named = (layer: NodeView['sandbox']): string[] =>
    alive.filter(({ sandbox }) => sandbox === layer).map(({ name }) => name);
  const [strong, weak, open] = [named('bwrap'), named('landlock'), named('none')];
  const found = (level: Finding['level'], names: readonly string[], says: string): Finding[] =>
    names.length === 0 ? [] : [{ level, what: 'sandbox', says: `${says} on ${names.join(', ')}` }];
  return [
    ...found('ok', strong, 'bwrap'),
    ...found('warning', weak, 'landlock only, which does not stop everything (docs/security.md)'),
    ...found(
      'warning',
      open,
      'none (DAS_SANDBOX=none): scripts can read and do what their account can, run only what you trust;',
    ),
  ];
}

/** How far the limits of a job hold on the nodes, the worst last. */
export function limitFindings(nodes: readonly NodeView[]): Finding[] {
  const known = nodes.filter(({ state, grouped }) => state === 'alive' && grouped !== undefined);
  const named = (...bounds: readonly Grouped[]): string =>
    known
      .filter(
        ({ grouped = [] }) => grouped.length === bounds.length && bounds.every((bound) => grouped.includes(bound)),
      )
      .map(({ name }) => name)
      .join(', ');
  const found = (level: Finding['level'], names: string, says: string): Finding[] =>
    names === '' ? [] : [{ level, what: 'limits', says: `${says} on ${names}` }];
  return [
    ...found(
      'ok',
      named('memory', 'processes'),
      'memory and processes of a worker with all that it starts are bounded (cgroups)',
    ),
    ...found(
      'warning',
      named('memory'),
      `memory of a worker with all that it starts is bounded (cgroups); ${processesOnly}`,
    ),
    ...found(
      'warning',
      named('processes'),
      `processes of a worker with all that it starts are bounded (cgroups); ${memoryOnly}`,
    ),
    ...found('warning', named(), `no cgroups, limits of processes only (rlimits): ${memoryOnly}; ${processesOnly}`),
  ];
}
const memoryOnly =
  'memory is bounded for each process alone, so a script that starts others can take as much again with each, and what processes share is not bounded';
const processesOnly =
  'processes are counted by account, which is that of the node itself unless it was started as root';

/** The account of the nodes here: of those that run, else who asks. */
async function ownerOf({ options, world }: Context): Promise<number | undefined> {
  return stat(stateFile(homeOf(options, world))).then(
    ({ uid }) => uid,
    () => process.getuid?.(),
  );
}
