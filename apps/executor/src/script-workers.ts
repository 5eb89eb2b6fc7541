import process from 'node:process';
import {
  type FoundPython,
  NodeRuntime,
  PythonRuntime,
  type Sandbox,
  Scratch,
  type StartOptions,
  type Venv,
  VenvPools,
  VenvRuntime,
  Warden,
  WorkerPool,
  WorkerPools,
  findNode,
  findPython,
  findVenv,
  openSandbox,
  probeUid,
  probeWorker,
} from '@das/execution';
import type { Grouped } from '@das/contracts';
import { messageOf } from '@das/kernel';
import type { ServiceContext } from '@das/platform';
import { type ExecutorConfig, codeFolderOf, placeLimitsOf } from './config.js';

/** What runs scripts on this node: a pool of workers for each kind of language, in the strongest sandbox that works here. */
export class ScriptWorkers {
  private constructor(
    readonly pools: WorkerPools,
    readonly sandbox: Sandbox,
    /** What runs scripts in Python. */
    readonly python: FoundPython,
    private readonly warden: Warden,
  ) {}

  /** `folder`: where workers have theirs. @throws InterpreterMissingError, NoSandboxError, NotStartedError; nothing is left running. */
  static async open(context: ServiceContext, config: ExecutorConfig, folder: string): Promise<ScriptWorkers> {
    const { clock, env, newId, log } = context;
    const { DAS_PYTHON: chosen, DAS_SCRIPT_UID_BASE: base, DAS_SLOTS: slots } = config;
    const uid = process.getuid?.() === 0 ? probeUid(base) : undefined;
    const python = await findPython({ chosen, path: env.PATH, uid, clock });
    const node = await findNode({ uid, clock });
    const scratch = new Scratch(folder);
    await scratch.open();
    const onUnbounded = (why: readonly string[]): void =>
      log.warn({ why }, `control groups do not bound all that workers start: ${why.join('; ')}`);
    const warden = new Warden(python.path, base, folder, { clock, onUnbounded });
    const onFault = (error: unknown): void =>
      log.error({ err: error }, `a worker cannot be started: ${messageOf(error)}`);
    let sandbox: Sandbox | undefined;
    let pools: WorkerPools | undefined;
    try {
      const start = { clock, newId, warden, scratch, onFault, limits: placeLimitsOf(config) };
      const forPython = { ...start, runtime: new PythonRuntime(python.path) };
      sandbox = await openSandboxFor(context, config, folder, python, forPython);
      tell(context, sandbox, { python: python.path, version: python.version, slots, ...node });
      const { launcher } = sandbox;
      const pool = new WorkerPool({ ...forPython, launcher, slots });
      const forNode = { ...start, runtime: new NodeRuntime(node.path), launcher, slots, atRest: 1 };
      const families = [
        { languages: ['python', 'command'], pool },
        { languages: ['node', 'wasm'], pool: new WorkerPool(forNode), missing: node.missing },
      ] as const;
      pools = new WorkerPools(families, clock, onFault, venvPools(start, sandbox, slots));
      await pools.open();
      return new ScriptWorkers(pools, sandbox, python, warden);
    } catch (error) {
      await pools?.close();
      await sandbox?.close();
      await warden.close();
      throw error;
    }
  }

  /** What control groups bound here; undefined: not known yet. */
  get grouped(): readonly Grouped[] | undefined {
    return this.warden.grouped;
  }

  /** Resolves when every worker, and all that workers started, is gone. */
  async close(): Promise<void> {
    await this.pools.close();
    await this.sandbox.close();
    await this.warden.close();
  }
}

/** Workers of virtual environments: none before a job wants them, and none of them where it is not permitted. */
function venvPools(
  start: Omit<StartOptions, 'runtime' | 'launcher'>,
  { launcher, readable }: Sandbox,
  slots: number,
): VenvPools {
  const of = (venv: Venv): StartOptions => ({ ...start, launcher, runtime: new VenvRuntime(venv) });
  return new VenvPools({
    find: (folder) => findVenv(folder, readable),
    poolOf: (venv) => new WorkerPool({ ...of(venv), slots, atRest: 0 }),
    probe: (venv, signal) => probeWorker(of(venv), signal),
    clock: start.clock,
  });
}

function openSandboxFor(
  context: ServiceContext,
  config: ExecutorConfig,
  root: string,
  python: FoundPython,
  start: Omit<StartOptions, 'launcher'>,
): Promise<Sandbox> {
  const { DAS_SANDBOX: choice, DAS_SCRIPT_READS: readable, DAS_SCRIPT_WRITES: writable } = config;
  const codeRoot = codeFolderOf(config, context.node);
  return openSandbox({
    ...{ choice, python, root, codeRoot, clock: context.clock, shared: { readable, writable } },
    probe: (launcher) => probeWorker({ ...start, launcher }),
  });
}

function tell({ log }: ServiceContext, { layer, refused, advice }: Sandbox, about: Record<string, unknown>): void {
  const told = { ...about, sandbox: layer, refused };
  if (layer === 'bwrap') log.info(told, 'executor starts workers');
  else if (layer === 'none') log.warn(told, 'scripts run with no sandbox (DAS_SANDBOX=none)');
  else if (refused.length === 0) log.warn(told, 'scripts are kept in by Landlock only (DAS_SANDBOX=landlock)');
  else {
    const change = advice === undefined ? '' : `; to have rooms: ${advice}`;
    log.warn(told, `scripts are kept in by Landlock only, as no room can be made: ${refused.join('; ')}${change}`);
  }
}
