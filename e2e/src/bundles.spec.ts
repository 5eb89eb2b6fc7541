import { spawn } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { connect } from '@nats-io/transport-node';
import { strToU8, zipSync } from 'fflate';
import type { JobView } from '@das/contracts';
import type { Refused } from './rest.js';
import { repository, testCluster, until, type TestCluster } from './harness.js';

let running: TestCluster;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'das-bundles-'));
  running = await testCluster({ nodes: 2 });
});
afterAll(async () => {
  await running.stop();
  await rm(folder, { recursive: true, force: true });
});

async function das(...args: readonly string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [join(repository, 'apps/cli/dist/main.js'), ...args], {
    cwd: folder,
    env: { ...process.env, DAS_URL: running.node(1).url, DAS_TOKEN_FILE: running.cluster.tokenFile },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk) => (stdout += String(chunk)));
  child.stderr.on('data', (chunk) => (stderr += String(chunk)));
  return new Promise((done) => child.once('close', (code) => done({ code, stdout, stderr })));
}

async function files(root: string, texts: Readonly<Record<string, string>>): Promise<string> {
  for (const [path, text] of Object.entries(texts)) {
    await mkdir(dirname(join(folder, root, path)), { recursive: true });
    await writeFile(join(folder, root, path), text);
  }
  return root;
}

const zipped = (texts: Readonly<Record<string, string>>): Uint8Array =>
  zipSync(Object.fromEntries(Object.entries(texts).map(([path, text]) => [path, strToU8(text)])));

/** As any program would send it: an archive as the part `code`. */
function submit(texts: Readonly<Record<string, string>>, spec: object, node = 1): Promise<JobView> {
  const form = new FormData();
  form.set('spec', JSON.stringify(spec));
  form.set('code', new Blob([zipped(texts)]), 'code.zip');
  return running.node(node).json('/v1/jobs', { method: 'POST', body: form });
}

/** What is asked of the store about code, from now on. */
async function listen(): Promise<{ reads(digest: string): number; puts(): number; close(): Promise<void> }> {
  const bare = await connect({ servers: running.cluster.natsUrl, token: running.cluster.token });
  const seen: Array<{ subject: string; text: string }> = [];
  bare.subscribe('das.v1.store.>', {
    callback: (_, { subject, data }) => void seen.push({ subject, text: Buffer.from(data).toString('latin1') }),
  });
  await bare.flush();
  const count = (verb: string, digest = ''): number =>
    seen.filter(({ subject, text }) => subject.endsWith(verb) && text.includes(digest)).length;
  return {
    reads: (digest) => count('read-blob', digest),
    puts: () => count('put-bundle-chunk'),
    close: () => bare.close(),
  };
}

const cached = (node: string, digest: string): string => join(running.home, 'code', node, `b-${digest}`, 'code');

const modules = {
  'main.py': [
    'import os, helpers\nfrom pkg.deep import twice\n',
    'def map(n):\n    return [helpers.NAME, twice(n), os.path.basename(__file__)]\n',
  ].join(''),
  'helpers.py': 'NAME = open(__import__("os").path.join(__import__("os").path.dirname(__file__), "name.txt")).read()\n',
  'name.txt': 'größe',
  'pkg/__init__.py': '',
  'pkg/deep.py': 'from . import base\n\ndef twice(n):\n    return base.ZERO + 2 * n\n',
  'pkg/base.py': 'ZERO = 0\n',
  '__pycache__/main.pyc': 'left out',
};

describe('das run of more than one file', () => {
  it('runs a folder with its modules and data on every node, and sends it once', async () => {
    const heard = await listen();
    const root = await files('project', modules);
    const first = await das('run', root, '--range', '0:40', '--items-per-part', '1');
    expect(first.stderr).toContain('succeeded');
    expect(first.stdout).toBe(Array.from({ length: 40 }, (_, n) => `["größe",${2 * n},"main.py"]\n`).join(''));
    const sent = heard.puts();
    expect(sent).toBeGreaterThan(0);
    const again = await das('run', root, '--range', '0:1', '--json');
    expect(again.stdout).toBe('["größe",0,"main.py"]\n');
    expect(heard.puts()).toBe(sent);
    const job = (await running.node(2).json<{ jobs: JobView[] }>('/v1/jobs')).jobs[0];
    expect(job).toMatchObject({ name: 'project', code: { entry: 'main.py', bundle: { files: 6 } } });
    // Forty parts on two nodes: each node fetched it once, however many asked.
    expect(heard.reads(job?.code?.digest ?? '?')).toBeLessThanOrEqual(2 * 2);
    await heard.close();
  });

  it('takes a script with --include, an archive with --entry, and refuses what does not fit, in words', async () => {
    await files('parts', { 'job.py': 'import lib.a\ndef map(n):\n    return lib.a.X + n\n', 'lib/a.py': 'X = 1\n' });
    expect((await das('run', 'parts/job.py', '--include', 'lib', '--range', '0:2')).stdout).toBe('1\n2\n');
    expect((await das('run', 'parts/job.py', '--include', 'lib/*.py', '--range', '0:2')).stdout).toBe('1\n2\n');
    await writeFile(
      join(folder, 'a.zip'),
      zipped({ 'b/run.py': 'from . import c\ndef map(n): return c.Y', 'b/c.py': 'Y = 7' }),
    );
    expect((await das('run', 'a.zip', '--entry', 'b/run.py', '--range', '0:1')).stdout).toBe('7\n');
    const nothing = await das('run', 'parts/job.py', '--include', '*.txt', '--range', '0:1');
    expect([nothing.code, nothing.stderr]).toEqual([2, expect.stringContaining('--include *.txt names no file')]);
    const unclear = await das('run', 'a.zip', '--range', '0:1');
    expect([unclear.code, unclear.stderr]).toEqual([2, expect.stringContaining('which of b/c.py, b/run.py')]);
  });
});

describe('das sync', () => {
  it('runs again at a change, cancels what still runs of the former files, and ends with its job by Ctrl-C', async () => {
    const endless = 'import time\ndef map(n):\n    time.sleep(1000)\n';
    const root = await files('synced', { 'main.py': 'import v\ndef map(n): return v.V\n', 'v.py': 'V = 1\n' });
    const args = [join(repository, 'apps/cli/dist/main.js'), 'sync', root, '--range', '0:1'];
    const env = { ...process.env, DAS_URL: running.node(1).url, DAS_TOKEN_FILE: running.cluster.tokenFile };
    const child = spawn(process.execPath, args, { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] });
    const code = new Promise<number | null>((done) => child.once('close', done));
    try {
      let [stdout, stderr] = ['', ''];
      child.stdout.on('data', (chunk) => (stdout += String(chunk)));
      child.stderr.on('data', (chunk) => (stderr += String(chunk)));
      const saw = (what: string, seen: () => boolean) => until(what, async () => (seen() ? true : undefined));
      await saw('the first result', () => stdout === '1\n' && stderr.includes('waiting for changes'));
      await files('synced', { 'v.py': 'V = 2\n' });
      await saw('the second result', () => stdout === '1\n2\n');
      await files('synced', { 'v.py': 'V = (\n' });
      await saw('the fault', () => stderr.includes('v.py, line 1'));
      await files('synced', { 'v.py': 'V = 3\n', 'main.py': endless });
      const job = await until('the endless job', async () => (await newest('running'))?.id);
      await files('synced', { 'main.py': 'def map(n): return 4\n' });
      await saw('the third result', () => stdout === '1\n2\n4\n');
      expect((await running.node(1).view(job)).state).toBe('cancelled');
      await files('synced', { 'main.py': endless });
      const last = await until('the last job', async () => (await newest('running'))?.id);
      child.kill('SIGINT');
      expect(await code).toBe(130);
      expect((await running.node(1).view(last)).state).toBe('cancelled');
    } finally {
      child.kill('SIGKILL');
      await code;
    }
  });
});

const newest = async (state: string): Promise<JobView | undefined> =>
  (await running.node(1).json<{ jobs: JobView[] }>(`/v1/jobs?state=${state}&limit=1`)).jobs[0];

describe('a bundle', () => {
  it('with a syntax fault in any file is refused before there is a job', async () => {
    const submitted = submit({ 'main.py': 'def map(n): return n\n', 'lib/bad.py': 'x = 1\ndef f(:\n' }, {});
    const { status, problem } = await submitted.then(
      () => Promise.reject(new Error('taken')),
      (error: unknown) => error as Refused,
    );
    expect([status, problem.code, problem.line, problem.text]).toEqual([400, 'SCRIPT_SYNTAX', 2, 'def f(:']);
    expect(problem.detail).toContain('lib/bad.py, line 2');
  });

  it('tells where it failed by the names of its own files', async () => {
    const bad = {
      'main.py': 'from lib import boom\ndef map(n): return boom.now()\n',
      'lib/boom.py': 'def now():\n    1/0\n',
    };
    const job = await submit(bad, { input: { range: [0, 1] }, retries: 0 });
    const { traceback } = (await running.ended(job.id)).failure ?? {};
    expect(traceback).toContain('File "main.py", line 2, in map');
    expect(traceback).toContain('File "lib/boom.py", line 2, in now');
    expect(traceback).not.toContain(running.home);
  });

  it('runs beside another version of itself on one node, each with its own code', async () => {
    const gate = join(folder, 'gate');
    await writeFile(gate, '');
    await chmod(folder, 0o755);
    const version = (name: string) => ({
      'main.py': `import os, time, late\ndef map(n):\n    while os.path.exists(${JSON.stringify(gate)}): time.sleep(0.02)\n    import lazy\n    return [late.V, lazy.V]\n`,
      'late.py': `V = '${name}'\n`,
      'lazy.py': `V = '${name}'\n`,
    });
    const spec = { input: { range: [0, 4] }, itemsPerPart: 1 };
    const jobs = [await submit(version('old'), spec), await submit(version('new'), spec)];
    await until('both versions are on one node', async () => {
      const kept = await readdir(join(running.home, 'code', 'node-1'));
      return jobs.every(({ code }) => kept.includes(`b-${code?.digest}`)) ? true : undefined;
    });
    await rm(gate);
    for (const [index, name] of ['old', 'new'].entries()) {
      const id = jobs[index]?.id ?? '';
      expect((await running.ended(id)).state).toBe('succeeded');
      expect(await running.node(1).results(id)).toBe(`["${name}","${name}"]\n`.repeat(4));
    }
  });

  it('that was damaged on the disk of a node is fetched anew', async () => {
    const code = { 'main.py': 'import v\ndef map(n): return v.V\n', 'v.py': 'V = 1\n' };
    const spec = { input: { range: [0, 8] }, itemsPerPart: 1 };
    const first = await submit(code, spec);
    await running.ended(first.id);
    const digest = first.code?.digest ?? '';
    for (const node of ['node-1', 'node-2']) {
      const path = join(cached(node, digest), 'v.py');
      if ((await readFile(path).catch(() => undefined)) === undefined) continue;
      await chmod(path, 0o644);
      await writeFile(path, 'V = 2\n');
      await chmod(path, 0o444);
    }
    const second = await submit(code, spec, 2);
    expect(second.code?.digest).toBe(digest);
    await running.ended(second.id);
    expect(await running.node(1).results(second.id)).toBe('1\n'.repeat(8));
  });

  it('that is not stored is refused, and known once it is', async () => {
    const digest = 'ab'.repeat(32);
    expect((await running.node(1).raw(`/v1/code/${digest}`, { method: 'HEAD' })).status).toBe(404);
    const named = running.node(1).submit({ code: { bundle: digest }, input: { range: [0, 1] } });
    await expect(named).rejects.toMatchObject({ problem: { code: 'CODE_NOT_FOUND' } });
    const job = await submit({ 'job.py': 'def map(n): return n' }, { input: { range: [0, 1] } });
    const known = await running.node(2).json(`/v1/code/${job.code?.digest}`);
    expect(known).toEqual({ digest: job.code?.digest, files: 1, bytes: 20 });
    const again = await running.node(2).submit({ code: { bundle: job.code?.digest }, input: { range: [3, 5] } });
    await running.ended(again.id);
    expect(await running.node(1).results(again.id)).toBe('3\n4\n');
  });
});
