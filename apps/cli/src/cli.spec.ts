import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { runCli } from './cli.js';
import type { World } from './world.js';

const view = (state: string, more: object = {}) => ({
  id: 'j-1',
  name: 'job.py',
  state,
  generation: 1,
  contact: 'node-1',
  functions: { split: false, map: true, combine: false, reduce: false, gather: false, main: false },
  items: { total: 3, final: true, committed: state === 'succeeded' ? 3 : 1, failed: 0 },
  openParts: 0,
  createdAt: '2026-01-01T00:00:00.000Z',
  wallMs: 1234,
  ...more,
});
const sse = (...events: object[]) =>
  events.map((event, i) => `id: ${i + 1}\ndata: ${JSON.stringify(event)}\n\n`).join('');
const progress = {
  event: 'progress',
  job: 'j-1',
  at: 1,
  committed: 1,
  failed: 0,
  items: 3,
  sealed: true,
  running: 2,
  etaMs: 900,
};
const ended = (state: string) => ({ event: 'state', job: 'j-1', at: 2, state, generation: 1 });

describe('das', () => {
  let cwd: string;
  let server: Server;
  let url: string;
  /** What the cluster answers by method and path; tests replace single ones. */
  let routes: Record<string, (request: IncomingMessage, response: ServerResponse) => void>;
  let uploads: string[];
  let interrupt: () => void;

  beforeEach(async () => {
    cwd = mkdtempSync(join(tmpdir(), 'das-cli-'));
    writeFileSync(join(cwd, 'job.py'), 'def map(item): return item\n');
    uploads = [];
    routes = {
      'GET /health/live': (_, response) => response.end('{}'),
      'GET /v1/nodes': (_, response) => response.end(JSON.stringify({ nodes: [] })),
      'POST /v1/jobs': (request, response) =>
        void text(request).then(
          (body) => (uploads.push(body), response.writeHead(202).end(JSON.stringify(view('running')))),
        ),
      'GET /v1/jobs/j-1/events': (_, response) => response.end(sse(progress, ended('succeeded'))),
      'GET /v1/jobs/j-1': (_, response) => response.end(JSON.stringify(view('succeeded'))),
      'GET /v1/jobs/j-1/results': (_, response) => response.end('1\n2\n3\n'),
    };
    server = createServer((request, response) => {
      const route = routes[`${request.method} ${request.url}`];
      if (route) return route(request, response);
      response
        .writeHead(404)
        .end(JSON.stringify({ type: 't', title: 't', status: 404, detail: `no ${request.url}`, code: 'NOT_FOUND' }));
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterEach(() => {
    server.closeAllConnections();
    server.close();
    rmSync(cwd, { recursive: true, force: true });
  });

  async function das(args: string[], env: Record<string, string> = { DAS_URL: url, DAS_TOKEN: 't' }) {
    const said = { out: '', err: '' };
    const world: World = {
      env: { DAS_HOME: join(cwd, 'home'), ...env },
      cwd,
      stdin: Readable.from(['{"a":1}\n']),
      terminal: false,
      out: async (data) => void (said.out += typeof data === 'string' ? data : Buffer.from(data).toString()),
      err: (line) => void (said.err += `${line}\n`),
      onInterrupt: (listener) => ((interrupt = listener), () => undefined),
    };
    const code = await runCli(args, world);
    return { code, ...said };
  }

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
    expect(uploads[0]).toContain('{"input":{"range":[0,3]},"params":{"n":5},"timeoutMs":2000,"tolerate":"5%"}');
    expect(uploads[0]).toContain('name="code"; filename="job.py"');
  });

  it('streams items from standard input', async () => {
    expect((await das(['run', 'job.py', '--input', '-'])).code).toBe(0);
    expect(uploads[0]).toMatch(/name="input"[^{]*\{"a":1\}\n\r\n--/);
    expect(uploads[0]).toContain('"input":{"format":"ndjson"}');
  });

  it('writes the result to a file only when it is whole', async () => {
    const { code, out } = await das(['run', 'job.py', '--range', '0:3', '--output', 'r.ndjson']);
    expect([code, out, readFileSync(join(cwd, 'r.ndjson'), 'utf8')]).toEqual([0, '', '1\n2\n3\n']);
  });

  it('runs nothing when the result could not be written', async () => {
    const { code, err } = await das(['run', 'job.py', '--range', '0:3', '--output', 'no/such/folder/x']);
    expect([code, err]).toEqual([1, 'error: no/such/folder/x cannot be written (ENOENT)\n']);
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

  it('cancels the job on the first interrupt and ends with 130', async () => {
    let state = 'running';
    routes['GET /v1/jobs/j-1/events'] = (_, response) => {
      response.write(sse(progress));
      routes['DELETE /v1/jobs/j-1'] = (_request, answer) => {
        state = 'cancelled';
        answer.end(JSON.stringify(view(state)));
        response.end(sse(ended(state)));
      };
      interrupt();
    };
    routes['GET /v1/jobs/j-1'] = (_, response) => response.end(JSON.stringify(view(state)));
    const { code, out, err } = await das(['run', 'job.py', '--range', '0:3']);
    expect([code, out]).toEqual([130, '']);
    expect(err).toContain('cancelling job j-1');
    expect(err).toContain('job j-1 cancelled');
  });

  it('breaks an upload off on an interrupt', async () => {
    routes['POST /v1/jobs'] = () => interrupt();
    expect(await das(['run', 'job.py', '--range', '0:3'])).toMatchObject({ code: 130, out: '' });
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
    expect([code, err]).toEqual([2, 'error: line 1 is not JSON\n  field: input\n  expected: JSON\n  line: 1\n']);
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
    [['run'], /missing required argument/],
    [['fly'], /unknown command/],
    [['up', '--nodes', '0'], /--nodes/],
    [['join', 'nowhere', '--token', 'x'.repeat(20)], /host:port/],
  ])('refuses %p with 2 and says why', async (args, why) => {
    const { code, out, err } = await das(args);
    expect([code, out]).toEqual([2, '']);
    expect(err).toMatch(why);
    expect(err).not.toMatch(/ at .*\.ts/);
  });

  it('says what to do without a cluster', async () => {
    expect(await das(['jobs'], {})).toEqual({
      code: 1,
      out: '',
      err: 'error: no cluster is known here; start one with `das up`, or set DAS_URL\n',
    });
    server.close();
    expect((await das(['jobs'])).err).toContain(`no cluster at ${url} (connection refused)`);
    expect((await das(['jobs'], { DAS_URL: 'nonsense' })).code).toBe(2);
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
    expect((await das(['events', 'j-1'])).out.trim().split('\n')).toHaveLength(2);
    routes['GET /v1/jobs/j-1/events'] = (_, response) => void response.write(sse(progress));
    routes['GET /v1/jobs/j-1'] = (_, response) => response.end(JSON.stringify(view('running')));
    expect(JSON.parse((await das(['events', 'j-1'])).out)).toEqual(progress);
  });
});
