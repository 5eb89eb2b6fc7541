import { chmod, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { SystemClock, newId } from '@das/platform';
import { placeLimitsDefault } from '../core/bounds.js';
import { Warden } from '../launch/warden.js';
import { probeWorker } from '../pool/probe-worker.js';
import { Scratch } from '../pool/scratch.js';
import { VenvPools } from '../pool/venv-pools.js';
import { WorkerPool } from '../pool/worker-pool.js';
import type { StartOptions } from '../pool/worker-start.js';
import { NotStartedError } from '../ports/errors.js';
import type { Runtime } from '../ports/runtime.js';
import { findVenv } from '../python/find-venv.js';
import { PythonRuntime } from '../python/python-runtime.js';
import { VenvRuntime } from '../python/venv-runtime.js';
import { mapRange, runPart } from '../testing/runtime-parts.js';
import { VenvFolder } from '../testing/venvs.js';
import { uidBase } from '../testing/worker-bench.js';
import { type Sandbox, openSandbox } from './sandbox.js';

const asRoot = process.getuid?.() === 0;
const interpreter = '/usr/bin/python3';
const python = { path: interpreter, version: '3', prefixes: ['/usr'] };

describe.each(['bwrap', 'landlock', 'none'] as const)('virtual environments in the sandbox %s', (choice) => {
  let root: string;
  let venvs: VenvFolder;
  let green: string;
  let warden: Warden;
  let sandbox: Sandbox;
  let pools: VenvPools;
  beforeAll(async () => {
    const clock = new SystemClock();
    root = await mkdtemp(join(tmpdir(), 'das-venvs-root-'));
    await chmod(root, 0o755);
    venvs = await VenvFolder.make();
    green = await venvs.venv('permitted/green');
    warden = new Warden(interpreter, uidBase, root, { clock, onUnbounded: () => undefined });
    const scratch = new Scratch(root);
    await scratch.open();
    const start = (runtime: Runtime): Omit<StartOptions, 'launcher'> => ({
      ...{ clock, newId, warden, runtime, limits: placeLimitsDefault, scratch },
      onFault: () => undefined,
    });
    sandbox = await openSandbox({
      ...{ choice, python, root, codeRoot: join(root, 'code'), clock },
      shared: { readable: [join(venvs.root, 'permitted')], writable: [] },
      probe: (launcher) => probeWorker({ ...start(new PythonRuntime(interpreter)), launcher }),
    });
    const { launcher, readable } = sandbox;
    pools = new VenvPools({
      find: (folder) => findVenv(folder, readable),
      poolOf: (venv) => new WorkerPool({ ...start(new VenvRuntime(venv)), launcher, slots: 1, atRest: 0 }),
      probe: (venv, signal) => probeWorker({ ...start(new VenvRuntime(venv)), launcher }, signal),
      clock,
    });
  }, 30_000);
  afterAll(async () => {
    await pools.close();
    await sandbox.close();
    await warden.close();
    await venvs.close();
    await rm(root, { recursive: true, force: true });
  });
  let jobs = 0;
  /** What the script gives for item 0. */
  const ask = async (folder: string, text: string): Promise<unknown> => {
    const job = `j-${(jobs += 1)}`;
    const worker = await pools.acquire(folder, { job, generation: 1 });
    const script = { job, node: 'n', language: 'python', filename: 'j.py', text, params: {} } as const;
    const failed = await worker.runtime.load(script);
    const { lines, failures } = await runPart(worker.runtime, mapRange(0, 1));
    pools.release(worker);
    return failed ?? (lines[0] === undefined ? failures[0] : JSON.parse(lines[0]));
  };

  it('give scripts their packages, interpreter and programs', async () => {
    const text = `import colours, os, shutil, sys
def map(item): return [colours.NAME, sys.prefix, sys.executable, shutil.which("python3"), os.environ["VIRTUAL_ENV"]]
`;
    const program = join(green, 'bin/python3');
    expect(await ask(green, text)).toEqual(['green', green, program, program, green]);
  });

  it('cannot be written by scripts', async () => {
    const text = `import colours\ndef map(item):\n    open(colours.__file__, "a").close()\n    return "written"\n`;
    expect(await ask(green, text)).toMatchObject({ message: expect.stringMatching(/Read-only|Permission/) });
  });

  it('keep scripts in as ever', async () => {
    const text = `import os, socket\ndef map(item):\n    socket.socket(socket.AF_INET)\n    return os.listdir("/root")\n`;
    const hint = choice === 'none' ? undefined : expect.stringContaining('--network');
    expect(await ask(green, text)).toMatchObject(hint === undefined ? {} : { hint });
  });

  const wrapper = async (text: string): Promise<string> => {
    const folder = await venvs.venv(`permitted/${newId()}`);
    const name = folder.slice(venvs.root.length + 1);
    await venvs.write(`${name}/bin/python3`, `#!/bin/sh\n${text}\n`, 0o755);
    return folder;
  };

  it('are refused in the words of their interpreter: too old', async () => {
    // The text of the worker is its fifth argument.
    const pretend = `exec ${interpreter} -I -c 'import sys; sys.version_info = (3, 8, 1); exec(sys.argv[1])' "$5"`;
    await expect(ask(await wrapper(pretend), 'def map(item): return 1\n')).rejects.toMatchObject({
      failure: 'CODE_VENV',
      message: expect.stringMatching(
        /does not run where scripts run: it is Python 3\.8\.1, and 3\.9 or newer is needed$/,
      ),
    });
  });

  it('are refused in the words of the system: nobody may run their interpreter', async () => {
    const folder = await wrapper('');
    await chmod(join(folder, 'bin/python3'), 0o644);
    let refusal: unknown;
    // One that ends before its streams are there leaves no words: as a job would, we ask again.
    do refusal = await ask(folder, 'def map(item): return 1\n').catch((error: unknown) => error);
    while (refusal instanceof NotStartedError);
    expect(refusal).toMatchObject({
      failure: 'CODE_VENV',
      message: expect.stringMatching(/does not run where scripts run: .*Permission denied/),
    });
  });

  it('are never run anywhere but where scripts run', async () => {
    const reached = join(root, 'reached');
    await mkdir(reached, { recursive: true });
    await chmod(reached, 0o777);
    const folder = await wrapper(`id -u > ${reached}/${choice} 2>/dev/null; exec ${interpreter} "$@"`);
    await ask(folder, 'def map(item): return 1\n').catch(() => undefined);
    const said = await readFile(join(reached, choice), 'utf8').catch(() => '');
    // In a sandbox it cannot say so.
    expect(said === '' ? 'nowhere' : Number(said) === process.getuid?.() && asRoot ? 'as root' : 'as a script').toBe(
      choice === 'none' ? 'as a script' : 'nowhere',
    );
  });

  it('are refused where scripts may not read them, whoever may', async () => {
    const outside = await venvs.venv('outside');
    const answer = ask(outside, 'import colours\ndef map(item): return colours.NAME\n');
    if (choice === 'none') expect(await answer).toBe('outside');
    else
      await expect(answer).rejects.toMatchObject({
        failure: 'CODE_VENV',
        hint: expect.stringContaining('DAS_SCRIPT_READS'),
      });
  });
});
