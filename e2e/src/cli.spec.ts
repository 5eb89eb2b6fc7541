import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { repository, sleepy, testCluster, until, type TestCluster } from './harness.js';

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

let running: TestCluster;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'das-cli-'));
  running = await testCluster({ nodes: 2 });
});
afterAll(async () => {
  await running.stop();
  await rm(folder, { recursive: true, force: true });
});

const command = [process.execPath, join(repository, 'apps/cli/dist/main.js')];

function start(args: readonly string[], env: Record<string, string> = {}, [program = '', ...before] = command) {
  const urls = [1, 2].map((node) => running.node(node).url).join(',');
  const child = spawn(program, [...before, ...args], {
    cwd: folder,
    env: { ...process.env, DAS_URL: urls, DAS_TOKEN_FILE: running.cluster.tokenFile, ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk) => (stdout += String(chunk)));
  child.stderr.on('data', (chunk) => (stderr += String(chunk)));
  const ended = new Promise<Ended>((done) => child.once('close', (code) => done({ code, stdout, stderr })));
  return { child, ended, seen: () => stderr };
}
/** A line for the shell, in which `"$NODE" "$DAS"` is our command. */
async function shell(line: string): Promise<Ended> {
  const main = join(repository, 'apps/cli/dist/main.js');
  const { child, ended } = start([], { NODE: process.execPath, DAS: main }, [
    '/bin/bash',
    '-o',
    'pipefail',
    '-c',
    line,
  ]);
  child.stdin.end();
  return ended;
}
async function das(args: readonly string[], input = '', env: Record<string, string> = {}): Promise<Ended> {
  const { child, ended } = start(args, env);
  child.stdin.end(input);
  return ended;
}
const file = async (name: string, text: string): Promise<string> => {
  await writeFile(join(folder, name), text);
  return name;
};

describe('das run', () => {
  it('writes results to stdout, everything else to stderr, and exits with 0', async () => {
    await file('square.py', 'def map(n):\n    return n * n\n');
    const { code, stdout, stderr } = await das(['run', 'square.py', '--range', '0:1000']);
    expect(stdout).toBe(Array.from({ length: 1_000 }, (_, n) => `${n * n}\n`).join(''));
    expect(stderr).toContain('succeeded');
    expect(code).toBe(0);
  });

  it('is silent when the reader of its results leaves, whatever their size', async () => {
    await file('wide.py', 'def map(n):\n    return "x" * 100\n');
    const { code, stdout, stderr } = await shell('"$NODE" "$DAS" run wide.py --range 0:50000 | head -2');
    expect([code, stdout]).toEqual([0, `"${'x'.repeat(100)}"\n`.repeat(2)]);
    expect(stderr).toMatch(/succeeded in .*: 50,000 items\n$/);
    expect(stderr).not.toMatch(/error|warning|EPIPE/i);
    const whole = await shell('"$NODE" "$DAS" results last | wc -l');
    expect([whole.stdout.trim(), whole.stderr]).toEqual(['50000', '']);
  });

  it('reads NDJSON from stdin, lines from a text file, and files from a folder', async () => {
    await file('echo.py', 'def map(item):\n    return item\n');
    expect((await das(['run', 'echo.py', '--input', '-'], '{"a":1}\n[2]\n')).stdout).toBe(
      '{"a": 1}\n[2]\n'.replaceAll(': ', ':').replaceAll(', ', ','),
    );
    await file('words.txt', 'alpha\n"beta"\n');
    expect((await das(['run', 'echo.py', '--input', 'words.txt'])).stdout).toBe('"alpha"\n"\\"beta\\""\n');
    await file('names.py', 'def map(item):\n    return item["name"].split("/")[-1]\n');
    const named = (await das(['run', 'names.py', '--input', join(repository, 'examples/word-count/corpus')])).stdout;
    expect(named.split('\n')).toHaveLength(122);
  });

  it('runs every example', async () => {
    const example = (path: string): string => join(repository, 'examples', path);
    const pi = await das(['run', example('monte-carlo-pi/pi.py'), '--range', '0:20', '--param', 'samples=20000']);
    expect(pi.stdout).toMatch(/3\.1[34]/);
    const primes = await das(['run', example('main-only/primes.py')]);
    expect(JSON.parse(primes.stdout)).toMatchObject({ count: 78_498, largest: 999_983 });
    const count = await das(['run', example('word-count/word_count.py'), '--input', example('word-count/corpus')]);
    expect(count.stdout).toContain('{"key":"the","value":105618}');
  });

  it('asks a remote DAS server once and ranks its answers', async () => {
    const server = spawn(process.execPath, [join(repository, 'examples/das-server/dist/main.js'), '--port', '0'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    try {
      const url = await new Promise<string>((found) => {
        server.stdout.on('data', (chunk) => {
          const match = /http:\/\/[\d.]+:\d+/.exec(String(chunk));
          if (match) found(match[0]);
        });
      });
      const script = join(repository, 'examples/das-quality/das_quality.py');
      const { code, stdout } = await das(['run', script, '--network', '--param', `url=${url}`]);
      const ranked = stdout
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as { quality: number });
      expect(code).toBe(0);
      expect(ranked).toHaveLength(14);
      expect(ranked.map(({ quality }) => quality)).toEqual(ranked.map(({ quality }) => quality).sort((a, b) => b - a));
    } finally {
      server.kill('SIGTERM');
      await new Promise((done) => server.once('exit', done));
    }
  });

  it('exits with 1 and the reason when the job fails', async () => {
    await file('luck.py', 'def map(n):\n    if n == 47:\n        raise ValueError("no luck")\n    return n\n');
    const { code, stdout, stderr } = await das(['run', 'luck.py', '--range', '0:100', '--retries', '0']);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toContain('ValueError: no luck');
    expect(stderr).toContain('item 47');
  });

  it.each<[string, string[], string]>([
    ['a missing script', ['run', 'nope.py', '--range', '0:3'], 'no file nope.py'],
    ['a missing input', ['run', 'ok.py', '--input', 'nope.txt'], 'nope.txt'],
    ['negative retries', ['run', 'ok.py', '--range', '0:3', '--retries', '-1'], '--retries'],
    ['an unknown option', ['run', 'ok.py', '--frobnicate'], '--frobnicate'],
    ['a syntax error', ['run', 'bad.py', '--range', '0:3'], 'line 1'],
    ['an empty script', ['run', 'empty.py', '--range', '0:3'], 'empty'],
    ['no known function', ['run', 'other.py', '--range', '0:3'], 'map'],
  ])('exits with 2 at %s', async (_what, args, words) => {
    await file('ok.py', 'def map(n):\n    return n\n');
    await file('bad.py', 'def map(n)\n    return n\n');
    await file('empty.py', '');
    await file('other.py', 'def f(n):\n    return n\n');
    const { code, stderr } = await das(args);
    expect(code).toBe(2);
    expect(stderr).toContain(words);
    expect(stderr).not.toMatch(/\bat .*\.js:\d+/);
  });

  it('cancels the job at Ctrl-C and exits with 130', async () => {
    await file('slow.py', sleepy(0.2));
    const { child, ended, seen } = start(['run', 'slow.py', '--range', '0:500', '--items-per-part', '1']);
    const id = await until('the job runs', async () => /job (j-\w+)\n[^]*items/.exec(seen())?.[1]);
    child.kill('SIGINT');
    const { code, stderr } = await ended;
    expect(code).toBe(130);
    expect(stderr).toContain('cancel');
    expect((await running.node(2).view(id)).state).toBe('cancelled');
  });
});

describe('das', () => {
  it('says so when there is no cluster', async () => {
    const { code, stderr } = await das(['nodes'], '', { DAS_URL: 'http://127.0.0.1:9' });
    expect(code).toBe(1);
    expect(stderr).toContain('http://127.0.0.1:9');
  });

  it('tells of jobs, nodes and the leader, for people and for programs', async () => {
    expect((await das(['nodes'])).stdout).toContain('node-2');
    expect(JSON.parse((await das(['nodes', '--json'])).stdout)).toBeDefined();
    expect((await das(['leader'])).stdout).toMatch(/node-\d/);
    await file('hello.py', 'def map(n):\n    print("hello", n)\n    return n\n');
    await das(['run', 'hello.py', '--range', '0:2']);
    expect((await das(['jobs'])).stdout).toContain('hello.py');
    expect((await das(['job', 'last'])).stdout).toContain('succeeded');
    expect((await das(['results', 'last'])).stdout).toBe('0\n1\n');
    await until('the prints are logged', async () =>
      (await das(['logs', 'last'])).stdout.includes('hello 1') ? true : undefined,
    );
    const unknown = await das(['job', 'j-nothing']);
    expect([unknown.code, unknown.stderr.includes('j-nothing')]).toEqual([1, true]);
  });

  it('writes into a file and refuses an unwritable one', async () => {
    await file('ok.py', 'def map(n):\n    return n\n');
    expect((await das(['run', 'ok.py', '--range', '0:3', '--output', 'out.ndjson'])).code).toBe(0);
    expect(await readFile(join(folder, 'out.ndjson'), 'utf8')).toBe('0\n1\n2\n');
    const refused = await das(['run', 'ok.py', '--range', '0:3', '--output', 'no/such/folder/x']);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain('no/such/folder/x');
  });
});

describe('das up --detach', () => {
  it('gives the whole reason of a start that failed, and logs it with its time', async () => {
    const nowhere = { DAS_DATABASE_URL: 'postgres://das:x@127.0.0.1:9/das', DAS_CONNECT_TIMEOUT_MS: '200' };
    const { code, stderr } = await das(['--home', 'failing', 'up', '--detach', '--nodes', '1'], '', nowhere);
    expect([code, stderr]).toEqual([1, expect.stringMatching(/^error: the cluster did not start: .*127\.0\.0\.1:9/)]);
    const log = await readFile(join(folder, 'failing/log/supervisor.log'), 'utf8');
    expect(log).toMatch(/^\d{4}-\S+Z {2}starting …\n\d{4}-\S+Z {2}error: /);
  });

  it('leaves the log of a running cluster alone', async () => {
    const { code, stderr } = await das(['--home', running.home, 'up', '--detach']);
    expect([code, stderr]).toEqual([1, expect.stringContaining('a cluster already runs')]);
    await expect(readFile(join(running.home, 'log/supervisor.log'))).rejects.toThrow('ENOENT');
  });
});

describe('docs/nats.md', () => {
  it('has a program that works as it is printed', async () => {
    const [, program = ''] = /```js\n([^]*?)```/.exec(await readFile(join(repository, 'docs/nats.md'), 'utf8')) ?? [];
    const { natsUrl, token } = running.cluster;
    const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
      cwd: repository,
      env: { ...process.env, NATS_URL: natsUrl, TOKEN: token },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let printed = '';
    child.stdout.on('data', (chunk) => (printed += String(chunk)));
    await new Promise((done) => child.once('close', done));
    expect(printed).toBe(Array.from({ length: 100_000 }, (_, n) => `${n * n}\n`).join(''));
  });
});
