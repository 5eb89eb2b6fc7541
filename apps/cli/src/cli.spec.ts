import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { StubCluster, ended, progress, sse, view } from './stub-cluster.fixture.js';

describe('das', () => {
  let stub: StubCluster;
  let { cwd, routes, uploads } = {} as StubCluster;
  beforeEach(async () => {
    stub = await StubCluster.start();
    ({ cwd, routes, uploads } = stub);
  });
  afterEach(() => stub.stop());
  const das: StubCluster['das'] = (...given) => stub.das(...given);

  it('runs a job: results on standard output, the rest on standard error', async () => {
    const { code, out, err } = await das([
      'run',
      'job.py',
      '--range',
      '0:3',
      '--param',
      'n=5',
      '--timeout',
      '2s',
      '--tolerate',
      '5%',
    ]);
    expect([code, out]).toEqual([0, '1\n2\n3\n']);
    expect(err).toContain('1/3 items (33 %), 2 running, ETA 0.9 s');
    expect(err).toContain('job j-1 succeeded in 1.2 s: 3 items');
    expect(uploads[0]).toContain(
      '{"input":{"range":[0,3]},"params":{"n":5},"timeoutMs":2000,"tolerate":"5%","code":{"language":"python"}}',
    );
    expect(uploads[0]).toContain('name="code"; filename="job.py"');
  });

  it('streams items from standard input', async () => {
    expect((await das(['run', 'job.py', '--input', '-'])).code).toBe(0);
    expect(uploads[0]).toMatch(/name="input"[^{]*\{"a":1\}\n\r\n--/);
    expect(uploads[0]).toContain('"input":{"format":"ndjson"}');
  });

  it('says so when a folder has no files', async () => {
    mkdirSync(join(cwd, 'empty'));
    expect((await das(['run', 'job.py', '--input', 'empty'])).err).toContain('note: empty has no files');
  });

  it('writes the result to a file only when it is whole', async () => {
    const { code, out } = await das(['run', 'job.py', '--range', '0:3', '--output', 'r.ndjson']);
    expect([code, out, readFileSync(join(cwd, 'r.ndjson'), 'utf8')]).toEqual([0, '', '1\n2\n3\n']);
  });

  it('runs nothing when the result could not be written', async () => {
    const { code, err } = await das(['run', 'job.py', '--range', '0:3', '--output', 'no/such/folder/x']);
    expect([code, err]).toEqual([1, 'error: no/such/folder/x cannot be written (its folder does not exist)\n']);
    expect(uploads).toEqual([]);
  });

  it('submits and leaves with --detach', async () => {
    expect(await das(['run', 'job.py', '--range', '0:3', '--detach'])).toMatchObject({
      code: 0,
      out: 'j-1\n',
      err: '',
    });
  });

  it('tells everything as JSON with --json', async () => {
    const { out, err } = await das(['run', 'job.py', '--range', '0:3', '--json']);
    const lines = err
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as object);
    expect(out).toBe('1\n2\n3\n');
    expect(lines).toEqual([progress, ended('succeeded'), view('succeeded')]);
    expect(JSON.parse((await das(['job', 'j-1', '--json'])).out)).toEqual(view('succeeded'));
  });

  it('shows why a job failed, and ends with 1', async () => {
    const failure = {
      code: 'X',
      message: 'boom',
      item: 4711,
      itemText: '"x"',
      traceback: 'Traceback\n  line 1',
      node: 'node-2',
      part: 'map:0-9',
    };
    routes['GET /v1/jobs/j-1/events'] = (_, response) => response.end(sse(ended('failed')));
    routes['GET /v1/jobs/j-1'] = (_, response) => response.end(JSON.stringify(view('failed', { failure })));
    const { code, out, err } = await das(['run', 'job.py', '--range', '0:3']);
    expect([code, out]).toEqual([1, '']);
    expect(err).toContain(
      'error: job j-1 failed in 1.2 s\n  boom\n  at: item 4711, map:0-9, on node-2\n  item: "x"\n    Traceback\n',
    );
  });

  it('shows a refusal that comes while the input is still being sent, and ends with 2', async () => {
    const problem = {
      type: 't',
      title: 't',
      status: 400,
      detail: 'line 1 is not JSON',
      code: 'INPUT_NOT_JSON',
      field: 'input',
      expected: 'JSON',
      line: 1,
    };
    routes['POST /v1/jobs'] = (request, response) => {
      request.resume();
      response.writeHead(400).end(JSON.stringify(problem));
    };
    writeFileSync(join(cwd, 'big.ndjson'), 'x'.repeat(30_000_000));
    const { code, err } = await das(['run', 'job.py', '--input', 'big.ndjson']);
    expect([code, err]).toEqual([2, 'error: line 1 is not JSON\n  field: --input\n  expected: JSON\n  line: 1\n']);
    expect(JSON.parse((await das(['run', 'job.py', '--input', 'big.ndjson', '--json'])).err)).toMatchObject({
      error: { line: 1 },
    });
  });

  it.each([
    [['run', 'nope.py'], /error: there is no file nope\.py/],
    [['run', 'job.py', '--retries', '-1'], /--retries/],
    [['run', 'job.py', '--input', 'nope'], /there is no .*nope/],
    [['run', 'job.py', '--input', '-', '--range', '0:1'], /--input and --range/],
    [['run', 'job.py', '--format', 'lines'], /--format needs --input/],
    [['run', 'job.py', '--what'], /unknown option '--what'/],
    [['run'], /there is nothing to run/],
    [['fly'], /unknown command/],
    [['up', '--nodes', '0'], /--nodes/],
    [['up', '--detach', '--nodes', '0'], /--nodes/],
    [['up', '--bind', 'nonsense'], /"nonsense" is no address of this machine/],
    [['up', '--port', '65530', '--nodes', '9'], /no 9 ports from 65530/],
    [['up', '--port', '23450', '--nats-port', '23452'], /port 23452 is taken twice[^]*field: --nats-port/],
    [['run', 'job.py', '--input', 'job.json'], /give --format/],
    [['join', 'nowhere', '--token', 'x'.repeat(20)], /host:port/],
  ])('refuses %p with 2 and says why', async (args, why) => {
    writeFileSync(join(cwd, 'job.json'), '[1]');
    const { code, out, err } = await das(args);
    expect([code, out]).toEqual([2, '']);
    expect(err).toMatch(why);
    expect(err).not.toMatch(/ at .*\.ts/);
  });

  it('names the option whose port is in use, before anything is started', async () => {
    const { port } = new URL(stub.url);
    const { code, err } = await das(['up', '--nats-port', port], {});
    expect([code, err]).toEqual([2, expect.stringContaining(`port ${port} is in use\n  field: --nats-port`)]);
    expect(err).not.toContain('starting');
  });

  it('tells of prints as text or as an object per line', async () => {
    routes['GET /v1/jobs/j-1/logs'] = (_, response) => response.end('[node-1 map:0-3] [x] y\n[node-1 map:0-3] \n');
    expect((await das(['logs', 'j-1'])).out).toBe('[node-1 map:0-3] [x] y\n[node-1 map:0-3] \n');
    expect((await das(['logs', 'j-1', '--json'])).out).toBe(
      '{"node":"node-1","part":"map:0-3","line":"[x] y"}\n{"node":"node-1","part":"map:0-3","line":""}\n',
    );
  });

  it('says what to do without a cluster', async () => {
    expect(await das(['jobs'], {})).toEqual({
      code: 1,
      out: '',
      err: `error: no cluster runs in ${cwd}/home; start it with \`das --home ${cwd}/home up\`\n`,
    });
    stub.server.close();
    expect((await das(['jobs'])).err).toContain(`no cluster at ${stub.url} (connection refused)`);
    expect((await das(['jobs'], { DAS_URL: 'nonsense' })).code).toBe(2);
  });

  it('names the home whose cluster does not answer any more', async () => {
    const home = join(cwd, 'home');
    mkdirSync(home);
    const process = { pid: 1, started: '' };
    const nodes = [{ name: 'node-1', rest: stub.url, state: 'ready', process }];
    const state = { version: 1, state: 'ready', supervisor: process, tokenFile: join(home, 'token'), nodes };
    writeFileSync(join(home, 'cluster.json'), JSON.stringify(state));
    stub.server.close();
    expect((await das(['jobs'], {})).err).toBe(
      `error: the cluster of ${home} does not answer at ${stub.url} (connection refused); start it again with \`das --home ${home} up\`\n`,
    );
  });

  it('finds the Python of the executor, and says when the shell has another', async () => {
    const bin = join(cwd, 'bin');
    mkdirSync(bin);
    // Fails as an executor asks, works as a shell does: an interpreter that the account of scripts cannot use.
    writeFileSync(join(bin, 'python3'), '#!/bin/sh\n[ "$1" = -I ] && exit 1\necho /mine/python3\n', { mode: 0o755 });
    const findings = async (env: Record<string, string>) =>
      JSON.parse((await das(['doctor', '--json'], { ...env, DAS_URL: stub.url })).out) as { what: string }[];
    const python = async (env: Record<string, string>) =>
      (await findings(env)).find(({ what }) => what === 'python') as unknown;
    expect(await python({ PATH: `${bin}:/usr/bin` })).toMatchObject({
      level: 'warning',
      says: expect.stringMatching(/^3\.\d+\.\d+ \/usr\S+ runs the scripts, not \/mine\/python3/),
    });
    expect(await python({ DAS_PYTHON: join(bin, 'python3') })).toMatchObject({
      level: 'fault',
      says: expect.stringMatching(/bin\/python3: (exit code 1|cannot be reached)/),
    });
  });

  it('tells of an unknown job with 1', async () => {
    expect(await das(['job', 'x'])).toMatchObject({ code: 1, err: 'error: no /v1/jobs/x\n' });
  });

  it('finds nothing to stop', async () => {
    expect(await das(['down'])).toMatchObject({ code: 0, out: expect.stringContaining('no cluster runs in') });
  });

  it('has help and a version', async () => {
    const help = await das(['run', '--help']);
    expect([help.code, help.out]).toEqual([0, expect.stringContaining('--items-per-part')]);
    expect((await das(['--version'])).out).toMatch(/^\d+\.\d+\.\d+/);
  });

  it('gives past events of a running job, and all of an ended one', async () => {
    expect((await das(['events', 'j-1'])).out.trim().split('\n')).toEqual([
      '1970-01-01T00:00:00.001Z  j-1  progress  1/3 items (33 %), 2 running, ETA 0.9 s',
      '1970-01-01T00:00:00.002Z  j-1  state     succeeded',
    ]);
    routes['GET /v1/jobs/j-1/events'] = (_, response) => void response.write(sse(progress));
    routes['GET /v1/jobs/j-1'] = (_, response) => response.end(JSON.stringify(view('running')));
    expect(JSON.parse((await das(['events', 'j-1', '--json'])).out)).toEqual(progress);
  });
});
