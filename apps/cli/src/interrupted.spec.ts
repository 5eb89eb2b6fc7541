import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { StubCluster, ended, progress, sse, view } from './stub-cluster.fixture.js';

describe('das run, interrupted', () => {
  let stub: StubCluster;
  let { cwd, routes } = {} as StubCluster;
  beforeEach(async () => {
    stub = await StubCluster.start();
    ({ cwd, routes } = stub);
  });
  afterEach(() => stub.stop());
  const das: StubCluster['das'] = (...given) => stub.das(...given);

  it('cancels the job on the first interrupt and ends with 130', async () => {
    let state = 'running';
    routes['GET /v1/jobs/j-1/events'] = (_, response) => {
      response.write(sse(progress));
      routes['DELETE /v1/jobs/j-1'] = (_request, answer) => {
        state = 'cancelled';
        answer.end(JSON.stringify(view(state)));
        response.end(sse(ended(state)));
      };
      stub.interrupt?.();
    };
    routes['GET /v1/jobs/j-1'] = (_, response) => response.end(JSON.stringify(view(state)));
    const { code, out, err } = await das(['run', 'job.py', '--range', '0:3']);
    expect([code, out]).toEqual([130, '']);
    expect(err).toContain('cancelling job j-1');
    expect(err).toContain('job j-1 cancelled');
  });

  it('cancels on an interrupt the job that comes of a submission that is being answered', async () => {
    let state = 'running';
    const asked: string[] = [];
    const submitted = view('submitted');
    routes['POST /v1/jobs'] = (request, response) => {
      request.resume().on('end', () => {
        stub.interrupt?.();
        response.writeHead(202).end(JSON.stringify(submitted));
      });
    };
    routes['DELETE /v1/jobs/j-1'] = (request, response) => {
      asked.push(request.method ?? '');
      state = 'cancelled';
      response.end(JSON.stringify(view(state)));
    };
    routes['GET /v1/jobs/j-1/events'] = (_, response) => response.end();
    routes['GET /v1/jobs/j-1'] = (_, response) => response.end(JSON.stringify(view(state)));
    for (const detach of [[], ['--detach']]) {
      state = 'running';
      const { code, out, err } = await das(['run', 'job.py', '--range', '0:3', ...detach]);
      expect([code, out, asked.splice(0)]).toEqual([130, '', ['DELETE']]);
      expect(err).toContain('job j-1 cancelled');
      expect(err).not.toContain('before the job was submitted');
    }
  });

  it('breaks an upload off on an interrupt', async () => {
    routes['POST /v1/jobs'] = (request) => void request.once('data', () => stub.interrupt?.());
    writeFileSync(join(cwd, 'big.ndjson'), '1\n'.repeat(15_000_000));
    const { code, out, err } = await das(['run', 'job.py', '--input', 'big.ndjson']);
    expect([code, out, err]).toEqual([130, '', 'cancelled before the job was submitted\n']);
  });

  it('leaves at the second interrupt, and nothing keeps it', async () => {
    const streamClosed = new Promise<void>((closed) => {
      routes['GET /v1/jobs/j-1/events'] = (_, response) => {
        response.write(sse(progress));
        response.once('close', closed);
        stub.interrupt?.();
      };
    });
    routes['DELETE /v1/jobs/j-1'] = () => stub.interrupt?.();
    const { code, err } = await das(['run', 'job.py', '--range', '0:3']);
    expect([code, err.split('\n').at(-2)]).toEqual([130, 'left; `das job j-1` tells what became of the job']);
    await streamClosed;
  });
});
