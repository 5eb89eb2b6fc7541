import { chmod, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { JobView } from '@das/contracts';
import { lines, script, testCluster, until, type TestCluster } from './harness.js';

/** Faults that take ten seconds each are for `npm run test:full` and `npm run test:nightly`. */
const whenPatient = ['full', 'nightly'].includes(process.env['DAS_TEST_TIER'] ?? '') ? it : it.skip;

let running: TestCluster;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'das-outcome-'));
  // Scripts run under accounts of their own.
  await chmod(folder, 0o777);
  running = await testCluster({ nodes: 3, env: { DAS_SCRIPT_WRITES: folder } });
});
afterAll(async () => {
  await running.stop();
  await rm(folder, { recursive: true, force: true });
});

/** A hook that writes into `<name>.<node>.<attempt>` every 10 ms that it lives, as `<decision id> <monotonic ms>`, until `<name>.go` is there. */
const lively = [
  'import das, json, os, time',
  'def alive(name):',
  '    place = das.params["folder"] + "/" + name',
  '    with open("%s.%s.%d" % (place, das.node, das.attempt), "a") as out:',
  '        while True:',
  '            out.write("%s %d\\n" % (das.decision_id, time.monotonic() * 1000)); out.flush()',
  '            if os.path.exists(place + ".go"): return',
  '            time.sleep(0.01)',
  'def map(item): return item * 2',
].join('\n');
const go = (name: string): Promise<void> => writeFile(join(folder, `${name}.go`), '');

interface Life {
  readonly node: string;
  readonly ids: readonly string[];
  readonly from: number;
  readonly to: number;
}
/** What the runs of a hook wrote, first one first. */
async function livesOf(name: string): Promise<Life[]> {
  const files = (await readdir(folder)).filter((file) => file.startsWith(`${name}.node-`));
  const lives = files.map(async (file) => {
    const said = (await readFile(join(folder, file), 'utf8')).split('\n').filter(Boolean);
    const times = said.map((line) => Number(line.split(' ')[1]));
    const ids = [...new Set(said.map((line) => line.split(' ')[0]!))];
    return { node: file.split('.')[1]!, ids, from: Math.min(...times), to: Math.max(...times) };
  });
  return (await Promise.all(lives)).sort((a, b) => a.from - b.from);
}

const numberOf = (node: string): number => Number(node.split('-')[1]);
const submit = (text: string, more: object = {}, node = 1): Promise<JobView> =>
  running.node(node).submit({ code: script(text), input: { range: [0, 20] }, params: { folder }, ...more });
const settling = (id: string, node = 1): Promise<JobView> =>
  until(`job ${id} settles`, async () => {
    const view = await running.node(node).view(id);
    expect(view.state).not.toBe('succeeded');
    return view.state === 'settling' ? view : undefined;
  });

describe('an outcome with a hook', () => {
  it('is seen by nobody before the hook is over: no success, no result, no cancel', async () => {
    const text = `${lively}\ndef on_success(results):\n    assert len(results) == 20 and list(results)[:3] == [0, 2, 4]\n    alive("held")\n`;
    const job = await submit(text);
    const view = await settling(job.id);
    expect(view).toMatchObject({
      decision: { id: `${job.id}-succeeded`, outcome: 'succeeded' },
      items: { committed: 20 },
    });
    await until('the hook runs', async () => ((await livesOf('held')).length > 0 ? true : undefined));
    const unfinished = {
      status: 409,
      problem: { code: 'JOB_UNFINISHED', detail: expect.stringContaining('settling') },
    };
    await expect(running.node(2).results(job.id)).rejects.toMatchObject(unfinished);
    await expect(running.node(3).cancel(job.id)).rejects.toMatchObject({
      status: 409,
      problem: { code: 'JOB_DECIDED' },
    });
    expect((await running.node(2).view(job.id)).state).toBe('settling');
    await go('held');
    const ended = await running.ended(job.id);
    expect([ended.state, ended.hookFailure, ended.decision?.id]).toEqual([
      'succeeded',
      undefined,
      `${job.id}-succeeded`,
    ]);
    expect(await running.node(2).results(job.id)).toBe(lines(20, (n) => n * 2));
    const told = await (await running.node(2).raw(`/v1/jobs/${job.id}/events`)).text();
    const states = [...told.matchAll(/"state":"(\w+)"/g)].map(([, state]) => state);
    expect(states).toEqual(['running', 'settling', 'succeeded']);
    expect((await livesOf('held')).map(({ ids }) => ids)).toEqual([[`${job.id}-succeeded`]]);
  });

  it('gets the final lines: of main, of gather, and of reduce', async () => {
    const check = (expected: string): string =>
      `\ndef on_success(results):\n    assert list(results) == ${expected}, list(results)\n`;
    const jobs = await Promise.all([
      running.node(1).submit({ code: script(`def main(params): return [1, 2]${check('[1, 2]')}`) }),
      submit(`def map(x): return x\ndef gather(results): return {"sum": sum(results)}${check('[{"sum": 190}]')}`),
      submit(
        `def map(x): yield x % 2, 1\ndef reduce(key, values): return len(values)${check('[{"key": 0, "value": 10}, {"key": 1, "value": 10}]')}`,
      ),
      submit(`def map(x): return 12 // (x - 3)${check('[-4, -6, -12] + [12 // n for n in range(1, 17)]')}`, {
        ...{ tolerate: 1, retries: 0 },
      }),
    ]);
    for (const { id } of jobs)
      expect(await running.ended(id)).toMatchObject({ state: 'succeeded', decision: { outcome: 'succeeded' } });
    for (const { id } of jobs) expect((await running.node(1).view(id)).hookFailure).toBeUndefined();
  });

  it('tells on_failure why, runs no on_success, and has the failure at the end', async () => {
    const text = [
      'import das, json',
      'def map(item):',
      '    if item == 7: raise ValueError("bad luck")',
      '    return item',
      'def tell(name, what):',
      '    with open(das.params["folder"] + "/" + name, "a") as out: out.write(json.dumps([das.decision_id, what]) + "\\n")',
      'def on_success(results): tell("told.wrong", None)',
      'def on_failure(error): tell("told.why", error)',
    ].join('\n');
    const job = await submit(text, { retries: 0 });
    const ended = await running.ended(job.id);
    expect(ended).toMatchObject({ state: 'failed', failure: { item: 7 }, decision: { id: `${job.id}-failed` } });
    const [told, ...more] = (await readFile(join(folder, 'told.why'), 'utf8')).split('\n');
    const [id, error] = JSON.parse(told!) as [string, Record<string, unknown>];
    expect([id, more]).toEqual([`${job.id}-failed`, ['']]);
    expect(error).toEqual(ended.failure);
    expect(error).toMatchObject({ item: 7, itemText: '7', message: expect.stringContaining('bad luck') });
    expect(await readdir(folder)).not.toContain('told.wrong');
    await expect(running.node(2).results(job.id)).rejects.toMatchObject({ status: 409 });
  });

  it('stays when the hook fails for good, and says so; a script that cannot be imported has no hook that runs', async () => {
    const failing = await submit('def map(x): return x\ndef on_success(results): raise KeyError("sink")\n', {
      retries: 1,
    });
    const hookFailure = { message: "on_success failed: KeyError: 'sink'", part: 'hook:0-1~1' };
    expect(await running.ended(failing.id)).toMatchObject({ state: 'succeeded', hookFailure });
    expect(await running.node(2).results(failing.id)).toBe(lines(20, (n) => n));
    const broken = await submit('import nonsense_module\ndef map(x): return x\ndef on_failure(error): pass\n');
    expect(await running.ended(broken.id)).toMatchObject({
      ...{ state: 'failed', failure: { code: 'SCRIPT_IMPORT' }, hookFailure: { code: 'SCRIPT_IMPORT' } },
    });
  });

  it('runs no hook of a job that is cancelled before', async () => {
    const text = `${lively}\ndef on_failure(error): alive("never")\ndef on_success(results): alive("never")\n`.replace(
      'return item * 2',
      'time.sleep(30)',
    );
    const job = await submit(text, { timeoutMs: 60_000 });
    await until('it runs', async () => {
      const parts = await running.node(1).parts(job.id);
      return parts.some(({ attempts }) => attempts.some(({ state }) => state === 'live')) ? true : undefined;
    });
    expect(await running.node(1).cancel(job.id)).toMatchObject({ state: 'cancelled' });
    expect((await running.node(1).view(job.id)).decision).toBeUndefined();
    expect(await livesOf('never')).toEqual([]);
  });

  /** A hook that runs on a node which does not lead, and what the leader's node tells of it. */
  const hookOn = async (name: string) => {
    const leader = (await running.node(1).leader()).leader!;
    const contact = ['node-1', 'node-2', 'node-3'].find((node) => node !== leader)!;
    const watcher = numberOf(leader);
    const job = await submit(`${lively}\ndef on_success(results): alive("${name}")\n`, {}, numberOf(contact));
    await settling(job.id, watcher);
    await until('the hook runs on the contact node', async () =>
      (await livesOf(name)).some(({ node }) => node === contact) ? true : undefined,
    );
    return { job, contact, watcher };
  };
  const secondLife = (name: string): Promise<unknown> =>
    until('it runs again', async () => ((await livesOf(name)).length > 1 ? true : undefined));

  whenPatient('ends by itself on a node that stands still, before it runs elsewhere', async () => {
    const { job, contact, watcher } = await hookOn('frozen');
    const { pid } = running.cluster.node(contact);
    process.kill(pid, 'SIGSTOP');
    try {
      await secondLife('frozen');
    } finally {
      process.kill(pid, 'SIGCONT');
    }
    await go('frozen');
    expect((await running.ended(job.id, watcher)).state).toBe('succeeded');
    const [first, second] = await livesOf('frozen');
    expect([first?.node === contact, second?.node === contact]).toEqual([true, false]);
    expect(second!.from).toBeGreaterThan(first!.to);
  });

  whenPatient('is ended while nobody can confirm it, and runs again as a whole', async () => {
    const { job, watcher } = await hookOn('unheard');
    await running.cluster.nats!.kill();
    const stopped = async (): Promise<true | undefined> => {
      const [before] = await livesOf('unheard');
      await new Promise((done) => setTimeout(done, 500));
      const [after] = await livesOf('unheard');
      return before!.to === after!.to ? true : undefined;
    };
    await until('it is ended', stopped);
    await running.cluster.nats!.restart();
    await secondLife('unheard');
    await go('unheard');
    expect((await running.ended(job.id, watcher)).state).toBe('succeeded');
    const [first, second, ...more] = await livesOf('unheard');
    expect(more).toEqual([]);
    expect([...first!.ids, ...second!.ids]).toEqual([`${job.id}-succeeded`, `${job.id}-succeeded`]);
    expect(second!.from).toBeGreaterThan(first!.to);
  });

  // Last: it costs a node.
  it('is run again elsewhere when its node is killed in mid-hook: the same decision, never two at a time', async () => {
    const { job, contact, watcher } = await hookOn('moved');
    await running.cluster.node(contact).kill('SIGKILL');
    await secondLife('moved');
    expect((await running.node(watcher).view(job.id)).state).toBe('settling');
    await go('moved');
    expect(await running.ended(job.id, watcher)).toMatchObject({
      state: 'succeeded',
      decision: { id: `${job.id}-succeeded` },
    });
    const [first, second, ...more] = await livesOf('moved');
    expect(more).toEqual([]);
    expect([first?.ids, second?.ids]).toEqual([[`${job.id}-succeeded`], [`${job.id}-succeeded`]]);
    expect([first?.node === contact, second?.node === contact]).toEqual([true, false]);
    expect(second!.from).toBeGreaterThan(first!.to);
    expect(await running.node(watcher).results(job.id)).toBe(lines(20, (n) => n * 2));
  });
});
