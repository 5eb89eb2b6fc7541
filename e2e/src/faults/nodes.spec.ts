import type { JobView } from '@das/contracts';
import { lines, script, sleepy, testCluster, until, type TestCluster } from '../harness.js';
import type { PartSummary, Rest } from '../rest.js';

const items = 400;
const slow = { code: script(sleepy(0.06)), input: { range: [0, items] }, itemsPerPart: 4 };
const expected = lines(items, (index) => index * 2);

let running: TestCluster;
beforeEach(async () => {
  running = await testCluster();
});
afterEach(() => running.stop());

const liveOn = (parts: readonly PartSummary[], node: string): PartSummary[] =>
  parts.filter((part) => part.attempts.some((attempt) => attempt.node === node && attempt.state === 'live'));

/** Resolves once a fifth of the items is committed; asserts that no more than four fifths are. */
async function midway(rest: Rest, id: string): Promise<JobView> {
  const view = await until('a fifth is committed', async () => {
    const now = await rest.view(id);
    return now.items.committed >= items * 0.2 ? now : undefined;
  });
  expect(view.items.committed).toBeLessThanOrEqual(items * 0.8);
  return view;
}

/** Kills the node while it holds a live attempt and 20–80 % are committed (asserted), and returns the parts it held, with the moment. */
async function killMidway(victim: string, watcher: Rest, id: string): Promise<{ held: PartSummary[]; at: number }> {
  await midway(watcher, id);
  const held = await until(`${victim} holds a live attempt`, async () => {
    const live = liveOn(await watcher.parts(id), victim);
    return live.length > 0 ? live : undefined;
  });
  const at = Date.now();
  await running.cluster.node(victim).kill('SIGKILL');
  const { committed } = (await watcher.view(id)).items;
  expect(committed).toBeLessThanOrEqual(items * 0.8);
  return { held, at };
}

/** The parts the victim held were given out again within 5 s (database clock, same machine). */
async function expectReassigned(
  watcher: Rest,
  id: string,
  victim: string,
  { held, at }: { held: PartSummary[]; at: number },
) {
  const after = new Map((await watcher.parts(id)).map((part) => [part.part, part]));
  for (const { part } of held) {
    const attempts = after.get(part)?.attempts ?? [];
    const next = attempts.find(({ node, startedAt }) => node !== victim && startedAt >= at - 1_000);
    const finished = attempts.some(({ node, state }) => node === victim && state === 'committed');
    if (finished) continue;
    expect(next).toBeDefined();
    expect(next!.startedAt - at).toBeLessThan(5_000);
  }
}

const number = (node: string): number => Number(node.split('-')[1]);
const others = (...names: string[]): string => ['node-1', 'node-2', 'node-3'].find((name) => !names.includes(name))!;

describe('SIGKILL of a node in mid-job', () => {
  it('loses nothing when it is neither contact nor leader', async () => {
    const leader = (await running.node(1).leader()).leader!;
    const contact = others(leader);
    const victim = others(leader, contact);
    const rest = running.node(number(contact));
    const job = await rest.submit(slow);
    const killed = await killMidway(victim, rest, job.id);
    expect((await running.ended(job.id, number(contact))).state).toBe('succeeded');
    expect(await rest.results(job.id)).toBe(expected);
    await expectReassigned(rest, job.id, victim, killed);
  });

  it('loses nothing when it is the leader', async () => {
    const { leader, term } = await running.node(1).leader();
    const contact = others(leader!);
    const rest = running.node(number(contact));
    const job = await rest.submit(slow);
    const killed = await killMidway(leader!, rest, job.id);
    expect((await running.ended(job.id, number(contact))).state).toBe('succeeded');
    expect(await rest.results(job.id)).toBe(expected);
    const now = await rest.leader();
    expect(now.term).toBeGreaterThan(term);
    expect(now.leader).not.toBe(leader);
    await expectReassigned(rest, job.id, leader!, killed);
  });

  it('answers from another node when it is the contact node', async () => {
    const leader = (await running.node(1).leader()).leader!;
    const contact = others(leader);
    const watcher = running.node(number(others(contact)));
    const job = await running.node(number(contact)).submit(slow);
    const killed = await killMidway(contact, watcher, job.id);
    expect((await running.ended(job.id, number(others(contact)))).state).toBe('succeeded');
    expect(await watcher.results(job.id)).toBe(expected);
    await expectReassigned(watcher, job.id, contact, killed);
  });

  it('goes on with split elsewhere when the contact node dies in mid-split', async () => {
    const leader = (await running.node(1).leader()).leader!;
    const contact = others(leader);
    const text = [
      'import time',
      'def split(params):',
      '    for n in range(200):',
      '        time.sleep(0.05)',
      '        yield n',
      'def map(item):',
      '    return item * 2',
    ].join('\n');
    const watcher = running.node(number(leader));
    const job = await running.node(number(contact)).submit({ code: script(text) });
    await until('split runs on the contact node and some items are committed', async () => {
      const split = liveOn(await watcher.parts(job.id), contact).find(({ part }) => part === 'split:0-1');
      return split !== undefined && (await watcher.view(job.id)).items.committed > 20 ? true : undefined;
    });
    await running.cluster.node(contact).kill('SIGKILL');
    expect((await running.ended(job.id, number(leader))).state).toBe('succeeded');
    expect(await watcher.results(job.id)).toBe(lines(200, (n) => n * 2));
    expect((await watcher.view(job.id)).generation).toBe(1);
  });
});

describe('servers that go away and come back in mid-job', () => {
  it('survives a restart of Postgres', async () => {
    const rest = running.node(2);
    const job = await rest.submit(slow);
    await midway(rest, job.id);
    await running.cluster.postgres!.restart();
    expect((await running.ended(job.id, 2)).state).toBe('succeeded');
    expect(await rest.results(job.id)).toBe(expected);
  });

  it('survives a restart of NATS', async () => {
    const rest = running.node(2);
    const job = await rest.submit(slow);
    await midway(rest, job.id);
    await running.cluster.nats!.restart();
    expect((await running.ended(job.id, 2)).state).toBe('succeeded');
    expect(await rest.results(job.id)).toBe(expected);
  });

  it('survives ten seconds without NATS', async () => {
    const rest = running.node(2);
    const job = await rest.submit(slow);
    await midway(rest, job.id);
    await running.cluster.nats!.kill();
    await new Promise((done) => setTimeout(done, 10_000));
    await running.cluster.nats!.restart();
    expect((await running.ended(job.id, 2)).state).toBe('succeeded');
    expect(await rest.results(job.id)).toBe(expected);
  });
});
