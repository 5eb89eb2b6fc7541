import { script, testCluster, type TestCluster } from './harness.js';

const mib = 1024 * 1024;
const command = (text: string) => ({ language: 'command', filename: 'command', text });

describe('limits of a job', () => {
  let running: TestCluster;
  beforeAll(async () => {
    running = await testCluster({ nodes: 2 });
  });
  afterAll(() => running.stop());

  const resultsOf = async (id: string): Promise<unknown[]> =>
    (await running.node(2).results(id))
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown);

  it('name the one item of many that kills its interpreter, and the other 99,999 come back', async () => {
    const text = 'import os\ndef map(x):\n    if x == 71717:\n        os.kill(os.getpid(), 9)\n    return x\n';
    const job = await running.node(1).submit({
      ...{ code: script(text), input: { range: [0, 100_000] }, tolerate: '1%', retries: 1 },
    });
    expect(await running.ended(job.id)).toMatchObject({
      ...{ state: 'succeeded', items: { committed: 99_999, failed: 1 } },
    });
    const results = await resultsOf(job.id);
    expect(results[71_717]).toMatchObject({ $error: { item: 71_717, code: 'ITEM_CRASHED' } });
    expect(results.filter((value, n) => value === n)).toHaveLength(99_999);
    const strict = await running.node(1).submit({ code: script(text), input: { range: [71_000, 72_000] }, retries: 0 });
    const { state, failure } = await running.ended(strict.id);
    expect(state).toBe('failed');
    expect(failure).toMatchObject({
      item: 717,
      message: expect.stringContaining('item 717: the worker process was killed'),
    });
  });

  it.each([
    [
      { memoryBytes: 128 * mib },
      'bytearray(400 * 1024 * 1024)',
      'item 7: needed more than 128 MiB of memory (limit of the job; raise --memory)',
    ],
    [
      { wallMs: 500 },
      '__import__("time").sleep(9)',
      'item 7: ran for more than 0.5 s (limit of the job; raise --max-time)',
    ],
    [{ partOutputBytes: 5_000 }, 'return "x" * 6000', 'item 7: the results of the part have more than 4.9 KiB'],
    [{ fileBytes: mib }, 'open("x", "wb").write(bytes(2 << 20))', 'item 7: wrote a file of more than 1 MiB'],
  ])('strike in words, at their item, and cost no other: %j', async (limits, act, message) => {
    const text = `def map(x):\n    if x == 7: ${act}\n    return x\n`;
    const job = await running.node(1).submit({
      ...{ code: script(text), input: { range: [0, 40] }, itemsPerPart: 20, tolerate: 1, retries: 1, limits },
    });
    expect(job.limits).toEqual(limits);
    expect(await running.ended(job.id)).toMatchObject({ state: 'succeeded', items: { committed: 39, failed: 1 } });
    const results = await resultsOf(job.id);
    expect(results[7]).toMatchObject({
      $error: { item: 7, code: 'ITEM_LIMIT', message: expect.stringContaining(message) },
    });
    expect(results.filter((value, n) => value === n)).toHaveLength(39);
  });

  it('hold for commands, and for all that they start', async () => {
    const many = 'for n in 1 2 3 4 5 6; do head -c 90000000 /dev/zero | tail -n 1 >/dev/null & done; wait; kill -9 $$';
    const job = await running.node(1).submit({
      code: command(`while read x; do if [ $x = 3 ]; then ${many}; fi; echo $x; done`),
      ...{ input: { range: [0, 8] }, itemsPerPart: 8, tolerate: 1, retries: 0, limits: { memoryBytes: 128 * mib } },
    });
    expect(await running.ended(job.id)).toMatchObject({ state: 'succeeded', items: { committed: 7, failed: 1 } });
    expect((await resultsOf(job.id))[3]).toMatchObject({ $error: { item: 3 } });
  });

  it('drop what is printed beyond them, and say how much', async () => {
    const text = 'def map(x):\n    for n in range(500): print("line", n)\n    return x\n';
    const limits = { logLinesPerSecond: 20, logBytes: 1_000 };
    const job = await running.node(1).submit({ code: script(text), input: { range: [0, 1] }, limits });
    await running.ended(job.id);
    const logs = await (await running.node(2).raw(`/v1/jobs/${job.id}/logs`)).text();
    expect(logs).toMatch(/… 4\d\d lines dropped: one attempt may print .*--log-rate/);
  });

  it('are refused where they are out of bounds, by their name', async () => {
    const refused = running
      .node(1)
      .submit({ code: script('def map(x): return x\n'), input: { items: [1] }, limits: { memoryBytes: 5 } });
    await expect(refused).rejects.toMatchObject({ status: 400, problem: { field: 'limits.memoryBytes' } });
  });
});
