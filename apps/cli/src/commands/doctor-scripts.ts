import { execFile } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { promisify } from 'node:util';
import { stateFile } from '@das/supervisor';
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
  return [await pythonFinding(context, owner === 0), ...accountFinding(owner)];
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

function accountFinding(owner: number | undefined): Finding[] {
  if (owner === 0 || owner === undefined) return [];
  const says =
    'run under your own account and can read what you can, the token of the cluster too: run scripts you trust, or start nodes as root, which gives each worker an account of its own';
  return [{ level: 'warning', what: 'scripts', says }];
}

/** The account of the nodes here: of those that run, else who asks. */
async function ownerOf({ options, world }: Context): Promise<number | undefined> {
  return stat(stateFile(homeOf(options, world))).then(
    ({ uid }) => uid,
    () => process.getuid?.(),
  );
}
