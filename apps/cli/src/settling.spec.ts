import { StubCluster, ended, progress, sse, view } from './stub-cluster.fixture.js';

const decided = (outcome: string) => ({
  ...{ decision: { id: `j-1-${outcome}`, outcome, decidedAt: '2026-01-01T00:00:01.000Z' } },
  functions: { ...view('settling').functions, on_success: true, on_failure: true },
});
const hookFailure = {
  code: 'ITEM_RAISED',
  message: "on_success failed: KeyError: 'sink'",
  part: 'hook:0-1~2',
  node: 'node-2',
};
const sink = "  on_success failed: KeyError: 'sink'\n  at: hook:0-1~2, on node-2\n";

describe('das, of a job with a hook', () => {
  let stub: StubCluster;
  beforeEach(async () => {
    stub = await StubCluster.start();
  });
  afterEach(() => stub.stop());

  const become = (state: string, more: object): void => {
    const settling = { ...ended('settling'), outcome: 'succeeded' };
    const events = sse(progress, settling, { ...ended(state), ...('hookFailure' in more ? { hookFailure } : {}) });
    stub.routes['GET /v1/jobs/j-1/events'] = (_, response) => response.end(events);
    stub.routes['GET /v1/jobs/j-1'] = (_, response) => response.end(JSON.stringify(view(state, more)));
  };

  it('says while it runs that it settles, and at the end that the hook failed: the exit code is that of the outcome', async () => {
    become('succeeded', { ...decided('succeeded'), hookFailure });
    const { code, out, err } = await stub.das(['run', 'job.py', '--range', '0:3']);
    expect([code, out]).toEqual([0, '1\n2\n3\n']);
    expect(err).toContain('settling: decided succeeded, on_success runs\n');
    expect(err).toContain(
      `job j-1 succeeded in 1.2 s: 3 items\nwarning: on_success failed; the outcome stays\n${sink}`,
    );
    expect((await stub.das(['job', 'j-1'])).out).toContain(`\nhook failed\n${sink}`);
    const events = (await stub.das(['events', 'j-1'])).out;
    expect(events).toContain("succeeded; its hook failed: on_success failed: KeyError: 'sink'");
  });

  it('tells both failures of a job whose on_failure failed', async () => {
    const failure = { code: 'ITEM_RAISED', message: 'boom' };
    become('failed', { ...decided('failed'), failure, hookFailure });
    const { code, err } = await stub.das(['run', 'job.py', '--range', '0:3']);
    expect(code).toBe(1);
    expect(err).toContain(
      `error: job j-1 failed in 1.2 s\n  boom\nwarning: on_failure failed; the outcome stays\n${sink}`,
    );
  });

  it('shows what was decided', async () => {
    become('settling', decided('failed'));
    expect((await stub.das(['job', 'j-1'])).out).toContain(
      'decided     failed (2026-01-01T00:00:01.000Z); on_failure runs, das.decision_id j-1-failed\n',
    );
    become('succeeded', decided('succeeded'));
    expect((await stub.das(['job', 'j-1'])).out).toContain('on_success ran, das.decision_id j-1-succeeded\n');
  });
});
