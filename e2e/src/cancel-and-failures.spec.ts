import { readFileSync, readdirSync } from 'node:fs';
import { script, sleepy, testCluster, until, type TestCluster } from './harness.js';

let running: TestCluster;
beforeAll(async () => {
  running = await testCluster({ nodes: 2 });
});
afterAll(() => running.stop());

/** Pids whose environment carries the marker. */
function processesWith(marker: string): string[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && name !== String(process.pid));
  return pids.filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/environ`, 'utf8').includes(marker);
    } catch {
      return false;
    }
  });
}

describe('cancelling', () => {
  it('ends the process trees within two seconds, twice is fine, and after the end says so', async () => {
    const marker = `das-cancel-${process.pid}-${Date.now()}`;
    const text = `import os, subprocess, time\ndef map(x):\n    subprocess.Popen(["sleep", "300"], env={"MARK": "${marker}"})\n    time.sleep(300)\n`;
    const job = await running
      .node(1)
      .submit({ code: script(text), input: { range: [0, 4] }, itemsPerPart: 1, timeoutMs: 300_000 });
    await until('children run', async () => (processesWith(marker).length >= 4 ? true : undefined));
    const view = await running.node(2).cancel(job.id);
    expect(view.state).toBe('cancelled');
    await until('they are gone', async () => (processesWith(marker).length === 0 ? true : undefined), 2_000);
    expect((await running.node(1).cancel(job.id)).state).toBe('cancelled');
    const done = await running.node(1).submit({ code: script('def map(x):\n    return x\n'), input: { items: [1] } });
    await running.ended(done.id);
    await expect(running.node(2).cancel(done.id)).rejects.toMatchObject({
      status: 409,
      problem: { code: 'JOB_ENDED' },
    });
    await expect(running.node(2).results(job.id)).rejects.toMatchObject({ status: 409 });
  });
});

describe('a script that fails', () => {
  it('fails the job with the traceback, the number of the item and its beginning', async () => {
    const text =
      'def check(item):\n    if item["n"] == 4711:\n        raise ValueError("bad luck")\n    return item["n"]\n\ndef map(item):\n    return check(item)\n';
    const input = Array.from({ length: 6_000 }, (_, n) => `{"n": ${n}, "name": "item ${n}"}\n`).join('');
    const job = await running.node(1).upload({ code: script(text, 'luck.py'), input: { format: 'ndjson' } }, input);
    const { state, failure } = await running.ended(job.id);
    expect(state).toBe('failed');
    expect(failure).toMatchObject({ item: 4711, message: expect.stringContaining('ValueError: bad luck') });
    expect(failure?.itemText).toContain('"name":"item 4711"');
    expect(failure?.traceback).toContain('File "luck.py", line 3, in check');
    expect(failure?.traceback).not.toContain('das_worker');
  });

  it('goes on under `tolerate` and keeps the place of what failed', async () => {
    const text = 'def map(item):\n    return 10 // item\n';
    const job = await running
      .node(1)
      .submit({ code: script(text), input: { items: [1, 0, 2] }, tolerate: '40%', retries: 1 });
    expect(await running.ended(job.id)).toMatchObject({ state: 'succeeded', items: { committed: 2, failed: 1 } });
    const [first, second, third] = (await running.node(2).results(job.id))
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown);
    expect([first, third]).toEqual([10, 5]);
    expect(second).toMatchObject({ $error: { message: expect.stringContaining('ZeroDivisionError') } });
  });

  it('fails at once when it cannot be imported', async () => {
    const job = await running
      .node(1)
      .submit({ code: script('import nonsense_module\ndef map(x):\n    return x\n'), input: { range: [0, 1_000] } });
    const { state, failure } = await running.ended(job.id);
    expect(state).toBe('failed');
    expect(failure?.message).toContain("No module named 'nonsense_module'");
  });

  it('names the item at which a worker dies, and the one that makes no progress', async () => {
    const crash = await running.node(1).submit({
      code: script('import os\ndef map(x):\n    if x == 57:\n        os._exit(3)\n    return x\n'),
      input: { range: [0, 100] },
      tolerate: 1,
      retries: 1,
    });
    expect(await running.ended(crash.id)).toMatchObject({ state: 'succeeded', items: { committed: 99, failed: 1 } });
    const crashed = (await running.node(1).results(crash.id)).split('\n')[57]!;
    expect(JSON.parse(crashed)).toMatchObject({ $error: { item: 57 } });
    const stuck = await running.node(1).submit({
      code: script('import time\ndef map(x):\n    if x == 3:\n        time.sleep(60)\n    return x\n'),
      input: { range: [0, 6] },
      timeoutMs: 500,
      retries: 0,
    });
    const { state, failure } = await running.ended(stuck.id);
    expect(state).toBe('failed');
    expect(failure).toMatchObject({ item: 3, message: expect.stringContaining('no progress') });
  });
});

describe('a job that is not done', () => {
  it('has no results yet, unless they are followed', async () => {
    const job = await running
      .node(1)
      .submit({ code: script(sleepy(0.05)), input: { range: [0, 60] }, itemsPerPart: 2 });
    await expect(running.node(2).results(job.id)).rejects.toMatchObject({
      status: 409,
      problem: { code: 'JOB_UNFINISHED' },
    });
    const followed = await (await running.node(2).raw(`/v1/jobs/${job.id}/results?follow`)).text();
    expect(followed).toBe(Array.from({ length: 60 }, (_, n) => `${n * 2}\n`).join(''));
  });
});
