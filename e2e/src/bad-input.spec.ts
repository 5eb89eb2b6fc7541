import { script, testCluster, type TestCluster } from './harness.js';
import { Refused } from './rest.js';

let running: TestCluster;
beforeAll(async () => {
  running = await testCluster({ nodes: 1, slots: 1 });
});
afterAll(() => running.stop());

const map = script('def map(x):\n    return x\n');
const ndjson = { code: map, input: { format: 'ndjson' } };

async function refusal(attempt: Promise<unknown>): Promise<Refused> {
  try {
    await attempt;
  } catch (error) {
    if (error instanceof Refused) return error;
    throw error;
  }
  throw new Error('it was accepted');
}

describe('a bad submission', () => {
  it.each<[string, object, number, object]>([
    ['without code', {}, 400, { code: 'REQUEST_INVALID', field: 'code' }],
    ['with an empty script', { code: script('  \n'), input: { items: [1] } }, 400, { code: 'SCRIPT_EMPTY' }],
    [
      'without a known function',
      { code: script('def f(x):\n    return x\n'), input: { items: [1] } },
      400,
      { code: 'SCRIPT_NO_FUNCTION' },
    ],
    [
      'that does not parse',
      { code: script('def map(x):\n    return x +\n'), input: { items: [1] } },
      400,
      { code: 'SCRIPT_SYNTAX', line: 2, text: expect.stringContaining('return x +') },
    ],
    [
      'in an unknown language',
      { code: { ...map, language: 'cobol' }, input: { items: [1] } },
      400,
      { code: 'SCRIPT_LANGUAGE' },
    ],
    [
      'with negative retries',
      { code: map, input: { items: [1] }, retries: -1 },
      400,
      { code: 'REQUEST_INVALID', field: 'retries' },
    ],
    [
      'with an unknown field',
      { code: map, input: { items: [1] }, colour: 'red' },
      400,
      { code: 'REQUEST_INVALID', field: 'colour' },
    ],
    ['without items', { code: map }, 400, { code: 'INPUT_MISSING' }],
    [
      'with items that nothing maps',
      { code: script('def main(params):\n    return 1\n'), input: { items: [1] } },
      400,
      { code: 'INPUT_UNEXPECTED' },
    ],
  ])('%s is refused in words', async (_what, submission, status, problem) => {
    const refused = await refusal(running.node(1).submit(submission));
    expect(refused.status).toBe(status);
    expect(refused.problem).toMatchObject(problem);
    expect(refused.problem.detail.length).toBeGreaterThan(10);
    expect(JSON.stringify(refused.problem)).not.toMatch(/\bat .*\.[jt]s:\d+/);
  });

  it('names the line that is not JSON', async () => {
    const refused = await refusal(running.node(1).upload(ndjson, '{"a": 1}\n{"a": 2}\n{"a": oops}\n'));
    expect(refused).toMatchObject({ status: 400, problem: { code: 'INPUT_NOT_JSON', line: 3 } });
    expect(refused.problem.text).toContain('oops');
  });

  it('names the item that is too large', async () => {
    const refused = await refusal(running.node(1).upload(ndjson, `1\n"${'x'.repeat(1_100_000)}"\n`));
    expect(refused).toMatchObject({ status: 413, problem: { code: 'INPUT_ITEM_TOO_LARGE', line: 2 } });
  });

  it('leaves no job behind', async () => {
    const { jobs } = await running.node(1).json<{ jobs: unknown[] }>('/v1/jobs');
    expect(jobs).toEqual([]);
  });
});

describe('other wrong requests', () => {
  it.each([
    ['an unknown job', '/v1/jobs/j-nothing', 404, 'JOB_NOT_FOUND'],
    ['results of an unknown job', '/v1/jobs/j-nothing/results', 404, 'JOB_NOT_FOUND'],
    ['an unknown route', '/v1/nothing', 404, 'NOT_FOUND'],
    ['an unknown state', '/v1/jobs?state=lost', 400, 'REQUEST_INVALID'],
  ])('%s', async (_what, path, status, code) => {
    const refused = await refusal(running.node(1).json(path));
    expect(refused).toMatchObject({ status, problem: { code } });
  });

  it('needs the token', async () => {
    const response = await fetch(`${running.node(1).url}/v1/jobs`);
    expect(response.status).toBe(401);
    expect(response.headers.get('content-type')).toContain('application/problem+json');
  });

  it('cannot cancel an unknown job', async () => {
    expect(await refusal(running.node(1).cancel('j-nothing'))).toMatchObject({ status: 404 });
  });
});
