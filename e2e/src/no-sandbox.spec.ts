import { type TestCluster, script, testCluster, until } from './harness.js';

describe('a cluster without a sandbox', () => {
  let running: TestCluster;
  beforeAll(async () => {
    running = await testCluster({ nodes: 1, env: { DAS_SANDBOX: 'none' } });
  });
  afterAll(() => running.stop());

  it('says so in every job, also in one that failed, and in its list', async () => {
    for (const text of ['def map(item): return item\n', 'import none_such\ndef map(item): return item\n']) {
      const { id } = await running.node(1).submit({ code: script(text), input: { range: [0, 3] } });
      expect(await running.ended(id)).toMatchObject({ sandboxes: ['none'] });
    }
    const { jobs } = await running.node(1).json<{ jobs: unknown[] }>('/v1/jobs');
    expect(jobs).toMatchObject([{ sandboxes: ['none'] }, { sandboxes: ['none'] }]);
  });

  it('says what its control groups bound', async () => {
    const told = await until('its first beat', async () => (await running.node(1).nodes())[0]?.grouped);
    expect(['memory', 'processes']).toEqual(expect.arrayContaining(told));
  });
});
