import { readFileSync, readdirSync, rmSync, writeFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { StubCluster, sse, ended, view } from './stub-cluster.fixture.js';

const failure = { code: 'ITEM_RAISED', message: 'ValueError: no luck', item: 47, part: 'map:40-50', node: 'node-2' };
const verdict = (code: string) => `{"$failed":{"code":"${code}","message":"x"}}\n`;

describe('the result of a job', () => {
  let stub: StubCluster;
  beforeEach(async () => {
    stub = await StubCluster.start();
  });
  afterEach(() => stub.stop());

  const answers = (state: string, more: object = {}): void => {
    stub.routes['GET /v1/jobs/j-1'] = (_, response) => response.end(JSON.stringify(view(state, more)));
  };
  /** A job that runs while its result is read, and then ended so. */
  const endsMeanwhile = (lines: string, state: string, more: object = {}): void => {
    answers('running');
    stub.routes['GET /v1/jobs/j-1/results?follow=1'] = (_, response) => {
      answers(state, more);
      response.end(lines);
    };
  };

  it('is followed to the end of a job that succeeds', async () => {
    endsMeanwhile('1\n2\n', 'succeeded');
    expect(await stub.das(['results', 'j-1', '--follow'])).toEqual({ code: 0, out: '1\n2\n', err: '' });
  });

  it('tells on standard error why the job failed that was followed', async () => {
    endsMeanwhile(`1\n${verdict('ITEM_RAISED')}`, 'failed', { failure });
    const { code, out, err } = await stub.das(['results', 'j-1', '--follow']);
    expect([code, out]).toEqual([1, '1\n']);
    expect(err).toContain('error: job j-1 failed');
    expect(err).toContain('ValueError: no luck');
  });

  it('ends with 130 when the job was cancelled meanwhile, and leaves no file', async () => {
    endsMeanwhile(`1\n${verdict('JOB_CANCELLED')}`, 'cancelled');
    const { code, err } = await stub.das(['results', 'j-1', '--follow', '--output', 'r']);
    expect([code, readdirSync(stub.cwd)]).toEqual([130, ['job.py']]);
    expect(err).toContain('job j-1 cancelled');
  });

  it('says so when the job started again', async () => {
    endsMeanwhile(`1\n${verdict('JOB_RESTARTED')}`, 'running', { generation: 2 });
    const { code, err } = await stub.das(['results', 'j-1', '--follow']);
    expect([code, err]).toEqual([1, expect.stringContaining('started again')]);
  });

  it('leaves no file when it is of two generations, though every line looks well', async () => {
    endsMeanwhile('1\n2\n', 'succeeded', { generation: 2 });
    const { code, err } = await stub.das(['results', 'j-1', '--follow', '--output', 'r']);
    expect([code, err, readdirSync(stub.cwd)]).toEqual([1, expect.stringContaining('started again'), ['job.py']]);
  });

  it('is not mistaken for a failure when it looks like one', async () => {
    endsMeanwhile(`1\n${verdict('X')}`, 'succeeded');
    expect((await stub.das(['results', 'j-1', '--follow'])).out).toBe(`1\n${verdict('X')}`);
  });

  it('is kept when it cannot be written, and the hint names it', async () => {
    const folder = join(stub.cwd, 'gone');
    mkdirSync(folder);
    stub.routes['GET /v1/jobs/j-1/results'] = (_, response) => {
      rmSync(folder, { recursive: true });
      response.end('1\n');
    };
    const { code, err } = await stub.das(['run', 'job.py', '--range', '0:3', '--output', 'gone/r']);
    expect(code).toBe(1);
    expect(err).toContain('error: gone/r cannot be written');
    expect(err).toContain('  hint: the result is kept: das results j-1 --output FILE');
  });

  it('is not written any more after an interrupt; the job has ended, so nothing is cancelled', async () => {
    writeFileSync(join(stub.cwd, 'r'), 'old');
    stub.routes['GET /v1/jobs/j-1/results'] = (_, response) => {
      response.write('1\n');
      stub.interrupt?.();
    };
    const { code, err } = await stub.das(['run', 'job.py', '--range', '0:3', '--output', 'r']);
    expect([code, readFileSync(join(stub.cwd, 'r'), 'utf8'), readdirSync(stub.cwd)]).toEqual([
      130,
      'old',
      ['job.py', 'r'],
    ]);
    expect(err).not.toContain('cancel');
  });

  it('leaves an interrupt to the system while it is printed', async () => {
    const listening: boolean[] = [];
    stub.routes['GET /v1/jobs/j-1/results'] = (_, response) => {
      listening.push(stub.interrupt !== undefined);
      response.end('1\n');
    };
    await stub.das(['run', 'job.py', '--range', '0:3']);
    expect(listening).toEqual([false]);
  });

  it('has no place beside --detach', async () => {
    const { code, err } = await stub.das(['run', 'job.py', '--range', '0:3', '--detach', '--output', 'r']);
    expect([code, stub.uploads]).toEqual([2, []]);
    expect(err).toContain('--detach leaves before there is a result');
  });

  it('does not name items where there are none', async () => {
    const functions = { split: false, map: false, combine: false, reduce: false, gather: false, main: true };
    const main = { functions, items: { total: 0, final: true, committed: 0, failed: 0 } };
    answers('succeeded', main);
    stub.routes['GET /v1/jobs/j-1/events'] = (_, response) => response.end(sse(ended('succeeded')));
    expect((await stub.das(['run', 'job.py'])).err).toContain('job j-1 succeeded in 1.2 s\n');
    expect((await stub.das(['job', 'j-1'])).out).not.toContain('items');
    const split = { failure: { ...failure, item: 0, part: 'split:0-1' } };
    answers('failed', split);
    expect((await stub.das(['job', 'j-1'])).out).toContain('  at: split:0-1, on node-2\n');
  });
});
