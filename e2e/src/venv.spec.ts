import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type TestCluster, script, testCluster, until } from './harness.js';

/** A real one, with a package `colours` of its own. */
async function venvIn(folder: string): Promise<string> {
  await promisify(execFile)('/usr/bin/python3', ['-m', 'venv', '--without-pip', folder]);
  const [version = ''] = await readdir(join(folder, 'lib'));
  const site = join(folder, 'lib', version, 'site-packages');
  await writeFile(join(site, 'colours.py'), `NAME = 'green'\n`, { mode: 0o644 });
  return folder;
}

const text = `import colours, sys, time
def map(item):
    time.sleep(0.02)
    return [colours.NAME, sys.prefix]
def gather(results): return [list(results)[0], len(results)]
`;

describe('jobs with a virtual environment', () => {
  let folder: string;
  let green: string;
  let running: TestCluster;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'das-e2e-venvs-'));
    await chmod(folder, 0o755);
    await mkdir(join(folder, 'permitted'));
    green = await venvIn(join(folder, 'permitted', 'green'));
    running = await testCluster({ nodes: 2, slots: 1, env: { DAS_SCRIPT_READS: join(folder, 'permitted') } });
  });
  afterAll(async () => {
    await running.stop();
    await rm(folder, { recursive: true, force: true });
  });
  const job = (venv: string, items: number) => ({
    ...{ code: script(text), venv, input: { range: [0, items] as const }, itemsPerPart: 2 },
  });

  /** Those that committed a part of it. */
  const nodesOf = async (id: string): Promise<string[]> => {
    const attempts = (await running.node(1).parts(id)).flatMap((part) => part.attempts);
    return [...new Set(attempts.filter(({ state }) => state === 'committed').map(({ node }) => node))].sort();
  };

  /** Whether its followers were told so. The stream of a job that runs does not end by itself. */
  const noteOf = async (id: string, words: string): Promise<boolean> => {
    const end = new AbortController();
    try {
      const { body } = await running.node(2).raw(`/v1/jobs/${id}/events`, { signal: end.signal });
      let told = '';
      for await (const chunk of body!.pipeThrough(new TextDecoderStream())) {
        told += chunk;
        if (told.includes(words)) return true;
      }
      return false;
    } finally {
      end.abort();
    }
  };

  it('has its interpreter and packages on every node, in steps as in maps', async () => {
    const { id } = await running.node(1).submit(job(green, 100));
    expect(await running.ended(id)).toMatchObject({ state: 'succeeded', venv: green });
    expect(await running.node(2).results(id)).toBe(`${JSON.stringify(['green', green])}\n100\n`);
    expect(await nodesOf(id)).toEqual(['node-1', 'node-2']);
  });

  it('is refused before there is a job where scripts may not read it, naming each node and the setting', async () => {
    const outside = await venvIn(join(folder, 'outside'));
    const words = (node: string): string => `${node}: scripts may not read the virtual environment ${outside}`;
    await expect(running.node(2).submit(job(outside, 1))).rejects.toMatchObject({
      status: 400,
      problem: {
        ...{ code: 'CODE_VENV', field: 'venv', hint: expect.stringContaining('DAS_SCRIPT_READS') },
        detail: `no node can use the virtual environment: ${words('node-2')}; ${words('node-1')}`,
      },
    });
  });

  it('waits, and says why, once no node has it any more', async () => {
    const gone = await venvIn(join(folder, 'permitted', 'gone'));
    const { id } = await running.node(1).submit(job(gone, 5_000));
    // By then the one worker of each node has the package.
    await until('both nodes run it', async () => ((await nodesOf(id)).length === 2 ? true : undefined));
    await rename(gone, join(folder, 'away'));
    await until('it says so', async () => (await noteOf(id, 'no node can run this job now')) || undefined);
    expect(await running.node(2).view(id)).toMatchObject({ state: 'running' });
    await running.node(1).cancel(id);
  });

  it('fails in words when no node ever ran it, and none has it any more', async () => {
    const gone = await venvIn(join(folder, 'permitted', 'never'));
    const gate = join(folder, 'permitted', 'gate');
    const waiting = `import os, time\ndef map(item):\n    while not os.path.exists(item): time.sleep(0.02)\n`;
    const blocker = { code: script(waiting), input: { items: [gate, gate] }, itemsPerPart: 1 };
    const { id: first } = await running.node(1).submit(blocker);
    await until('every slot is taken', async () =>
      (await running.node(1).parts(first)).length === 2 ? true : undefined,
    );
    const { id } = await running.node(1).submit(job(gone, 10));
    await rename(gone, join(folder, 'never'));
    await writeFile(gate, '', { mode: 0o644 });
    const { state, failure } = await running.ended(id);
    expect([state, failure?.code, failure?.hint]).toEqual([
      'failed',
      'CODE_VENV',
      expect.stringContaining('python3 -m venv'),
    ]);
    // One may have looked into it while it went.
    for (const node of ['node-1', 'node-2'])
      expect(failure?.message).toMatch(new RegExp(`${node}: (there is no folder )?${gone}`));
  });
});
