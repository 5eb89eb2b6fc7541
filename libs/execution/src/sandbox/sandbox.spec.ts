import { createServer } from 'node:net';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { SystemClock, newId } from '@das/platform';
import { placeLimitsDefault } from '../core/bounds.js';
import type { ScriptJob } from '../ports/runtime.js';
import { Warden } from '../launch/warden.js';
import { probeWorker } from '../pool/probe-worker.js';
import { Scratch } from '../pool/scratch.js';
import { type StartOptions, startWorker } from '../pool/worker-start.js';
import type { Launcher, Place } from '../ports/launch.js';
import { PythonRuntime } from '../python/python-runtime.js';
import { mapRange, runPart } from '../testing/runtime-parts.js';
import { uidBase } from '../testing/worker-bench.js';
import { Rooms } from './rooms.js';
import { type Sandbox, type SandboxChoice, openSandbox } from './sandbox.js';

/** Writes half a mebibyte for item 0, two for item 1. */
const fills = `def map(item):
    size = 512 * 1024 if item == 0 else 2 * 1024 * 1024
    with open('file', 'wb') as file:
        return file.write(bytes(size))
`;
const interpreter = '/usr/bin/python3';
const python = { path: interpreter, version: '3', prefixes: ['/usr'] };

describe('the sandbox of a node', () => {
  const clock = new SystemClock();
  let root: string;
  let codeRoot: string;
  let warden: Warden;
  let sandbox: Sandbox | undefined;
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'das-sandbox-'));
    await chmod(root, 0o755);
    codeRoot = join(root, 'code');
    await mkdir(join(codeRoot, 'one'), { recursive: true });
    await writeFile(join(codeRoot, 'one', 'helper.py'), 'answer = 42\n');
    warden = new Warden(interpreter, uidBase, root, { clock, onUnbounded: () => undefined });
    sandbox = undefined;
  });
  afterEach(async () => {
    await sandbox?.close();
    await warden.close();
    const left = (await readdir(root)).filter((name) => name !== 'code');
    await rm(root, { recursive: true, force: true });
    expect(left).toEqual([]);
  });
  const start = (launcher: Launcher): StartOptions => ({
    ...{ clock, newId, warden, launcher, limits: placeLimitsDefault, runtime: new PythonRuntime(interpreter) },
    scratch: new Scratch(root),
    onFault: (error) => {
      throw error;
    },
  });
  const open = async (choice: SandboxChoice, bwrap?: string): Promise<Sandbox> => {
    const shared = { readable: [], writable: [] };
    const probe = (launcher: Launcher): Promise<void> => probeWorker(start(launcher));
    const at = { choice, python, root, codeRoot, shared, clock, probe };
    return (sandbox = await openSandbox(bwrap === undefined ? at : { ...at, bwrap }));
  };
  /** What the script gives for item 0, in a worker made by this launcher. */
  const ask = async (
    launcher: Launcher,
    text: string,
    more: { network?: boolean; folder?: string; packages?: string } = {},
  ): Promise<unknown> => {
    const worker = await startWorker(start(launcher), more.network);
    try {
      await worker.runtime.ready;
      const code = more.folder === undefined ? '' : await worker.process.bind(more.folder, 'code');
      const packages = more.packages === undefined ? '' : await worker.process.bind(more.packages, 'packages');
      const failed = await worker.runtime.load({
        job: 'j',
        node: 'n',
        language: 'python',
        filename: 'j.py',
        text,
        params: { code, packages },
      });
      const { lines, failures } =
        failed === undefined ? await runPart(worker.runtime, mapRange(0, 1)) : { lines: [], failures: [failed] };
      return lines[0] === undefined ? failures : JSON.parse(lines[0]);
    } finally {
      worker.kill();
      await worker.gone;
    }
  };

  it('is a room where bubblewrap works, else Landlock, and tells why it is not the best', async () => {
    expect((await open('auto')).layer).toBe('bwrap');
    await sandbox?.close();
    const { layer, refused, advice } = await open('auto', '/nowhere/bwrap');
    expect([layer, refused]).toEqual(['landlock', ['bwrap, bwrap without /proc: spawn /nowhere/bwrap ENOENT']]);
    expect(advice).toContain('apt-get install bubblewrap');
  });

  it('is refused with the words of every try, and nothing is left running', async () => {
    const broken = join(root, 'code', 'bwrap');
    await writeFile(broken, '#!/bin/sh\necho "bwrap: No permissions to create a new namespace" >&2\nexit 1\n', {
      mode: 0o755,
    });
    await expect(open('bwrap', broken)).rejects.toMatchObject({
      code: 'EXECUTION_NO_SANDBOX',
      message: expect.stringMatching(/: bwrap, bwrap without \/proc: No permissions to create a new namespace$/),
      hint: expect.stringMatching(/seccomp=infra\/das-seccomp\.json.*DAS_SANDBOX=none/),
    });
  });

  it('is none only where that was asked for', async () => {
    expect((await open('none')).layer).toBe('none');
  });

  const readsCode =
    'import os, sys\ndef map(item, params):\n    sys.path.insert(0, params["code"])\n    import helper\n    return [helper.answer, params["code"]]\n';
  it.each<[SandboxChoice, string | undefined]>([
    ['bwrap', '/code'],
    ['landlock', undefined],
    ['none', undefined],
  ])('shows a folder of code to a worker: %s', async (choice, shown) => {
    const folder = join(codeRoot, 'one');
    const { launcher } = await open(choice);
    expect(await ask(launcher, readsCode, { folder })).toEqual([42, shown ?? folder]);
    if (choice === 'bwrap')
      await expect(ask(launcher, readsCode, { folder: root })).rejects.toThrow(/is not in the folder of code/);
  });

  it.each<[SandboxChoice, string | undefined]>([
    ['bwrap', '/packages'],
    ['landlock', undefined],
  ])('shows packages beside the code, and nothing else of the cache: %s', async (choice, shown) => {
    const packages = join(codeRoot, 'packages', 'p-1');
    await mkdir(packages, { recursive: true });
    await writeFile(join(packages, 'other.py'), 'answer = 43\n');
    const { launcher } = await open(choice);
    const text = readsCode
      .replace('import helper', 'sys.path.insert(0, params["packages"])\n    import helper, other')
      .replace('helper.answer,', 'helper.answer + other.answer, params["packages"],');
    const more = { folder: join(codeRoot, 'one'), packages };
    const seen = await ask(launcher, text, more);
    expect(seen).toEqual([85, shown ?? packages, expect.any(String)]);
    if (choice === 'bwrap') {
      const listing = 'import os\ndef map(item): return [os.listdir("/code"), os.listdir("/packages")]';
      expect(await ask(launcher, listing, more)).toEqual([['helper.py'], ['other.py']]);
    }
  });

  it.each<SandboxChoice>(['bwrap', 'landlock'])(
    'gives network to a job that asks, and names --network to others: %s',
    async (choice) => {
      const server = createServer((socket) => socket.end('hello')).listen(0, '127.0.0.1');
      await once(server, 'listening');
      const { port } = server.address() as { port: number };
      const text = `import socket\ndef map(item):\n    with socket.create_connection(("127.0.0.1", ${port})) as stream: return stream.recv(5).decode()\n`;
      try {
        const { launcher } = await open(choice);
        expect(await ask(launcher, text, { network: true })).toBe('hello');
        expect(await ask(launcher, text)).toEqual([
          expect.objectContaining({ hint: expect.stringContaining('--network') }),
        ]);
      } finally {
        server.close();
      }
    },
  );

  it.each<[SandboxChoice, string]>([
    ['bwrap', 'ECONNREFUSED'],
    ['landlock', 'EAFNOSUPPORT'],
  ])('lets no worker hear another by a socket without a path: %s', async (choice, refusal) => {
    const { launcher } = await open(choice);
    const name = `das-between-${newId()}`;
    const listens = `import socket\ntry:\n    heard = socket.socket(socket.AF_UNIX)\n    heard.bind("\\0${name}")\n    heard.listen()\nexcept OSError: pass\ndef map(item): return item\n`;
    const calls = `import errno, socket\ndef map(item):\n    try: socket.socket(socket.AF_UNIX).connect("\\0${name}")\n    except OSError as fault: return errno.errorcode[fault.errno]\n`;
    const worker = await startWorker(start(launcher));
    await worker.runtime.ready;
    const script: ScriptJob = { job: 'j', node: 'n', language: 'python', filename: 'j.py', text: listens, params: {} };
    expect(await worker.runtime.load(script)).toBeUndefined();
    expect(await ask(launcher, calls)).toBe(refusal);
    worker.kill();
    await worker.gone;
  });

  it('bounds the files of a worker anew when its job is known, where they are in memory', async () => {
    const { launcher } = await open('bwrap');
    const worker = await startWorker(start(launcher));
    await worker.runtime.ready;
    await worker.limit({ ...placeLimitsDefault, scratchBytes: 1024 * 1024 });
    const script: ScriptJob = { job: 'j', node: 'n', language: 'python', filename: 'j.py', text: fills, params: {} };
    expect(await worker.runtime.load(script)).toBeUndefined();
    const { lines, failures } = await runPart(worker.runtime, mapRange(0, 2));
    expect([lines, failures.map(({ message }) => message)]).toEqual([
      ['524288'],
      [expect.stringContaining('No space')],
    ]);
    worker.kill();
    await worker.gone;
  }, 30_000);

  it.each<SandboxChoice>(['bwrap', 'landlock', 'none'])(
    'starts other programs behind the same walls: %s',
    async (choice) => {
      const { launcher } = await open(choice);
      const uid = await warden.claim();
      const scratch = new Scratch(root);
      const folder = await scratch.folder('w1', uid);
      const place: Place = {
        folder,
        mark: 'w1',
        limits: placeLimitsDefault,
        account: uid === null ? undefined : { uid, gid: uid },
      };
      // `yes` ends by the signal that an interpreter ignores (SIGPIPE, 128 + 13), or never learns that nobody reads on.
      const pipe = '{ yes; echo $? > "$HOME/status"; } | head -n 1 > /dev/null; cat "$HOME/status"';
      const args = ['-c', `echo "$HOME $(cat /etc/passwd | wc -l) $(${pipe})"; cat <&3`];
      const child = await launcher.launch(
        { file: '/bin/sh', args, env: { HOME: folder, PATH: '/usr/bin:/bin' } },
        place,
      );
      child.channel.on('error', () => undefined).end();
      let said = '';
      for await (const chunk of child.stdout) said += String(chunk);
      expect((await child.exited).signal).toBeNull();
      await scratch.remove(folder);
      if (uid !== null) warden.release(uid);
      const seen = said.trim().split(' ');
      expect(seen[0]).toBe(choice === 'bwrap' ? '/tmp' : folder);
      expect(Number(seen[1])).toEqual(choice === 'bwrap' ? 1 : choice === 'landlock' ? 0 : expect.any(Number));
      expect(seen[2]).toBe('141');
    },
  );

  it('makes rooms where nobody may mount a /proc', async () => {
    const shared = { readable: [codeRoot], writable: [] };
    const users = process.getuid?.() !== 0;
    const rooms = new Rooms({
      interpreter,
      prefixes: [],
      root,
      codeRoot,
      shared,
      clock,
      bwrap: 'bwrap',
      users,
      proc: false,
    });
    try {
      const text = `import os\ndef map(item): return [os.listdir("/proc"), os.listdir(${JSON.stringify(codeRoot)})]\n`;
      expect(await ask(rooms, text)).toEqual([[], ['one']]);
    } finally {
      await rooms.close();
    }
  });
});
