import { lines, script, testCluster, type TestCluster } from './harness.js';

/**
 * What the MapReduce laboratory of MIT 6.5840 asks of its students' systems: the output of a sequential run, under crashes too; maps and
 * reduces that really run side by side; nothing run twice without a failure; nobody who takes the job for done before it is.
 */
let running: TestCluster;
beforeAll(async () => {
  running = await testCluster();
});
afterAll(() => running.stop());

interface Document {
  readonly name: string;
  readonly text: string;
}

/** The same texts in every run: words of a small vocabulary, the early ones more often. */
function documents(count: number, words: number): Document[] {
  let state = 20_261_122;
  const random = (): number => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
  return Array.from({ length: count }, (_, index) => ({
    name: `text-${String(index).padStart(2, '0')}`,
    text: Array.from({ length: words }, () => `w${Math.floor(random() ** 2 * 150)}`).join(' '),
  }));
}
const corpus = documents(24, 300);

interface Pair {
  readonly key: unknown;
  readonly value: unknown;
}

/** What one process would give, in the order of the keys (code points; all of them are plain letters and digits). */
function sequential(reduce: (values: Document[]) => unknown): Pair[] {
  const found = new Map<string, Document[]>();
  for (const document of corpus) {
    for (const word of document.text.split(' ')) found.set(word, [...(found.get(word) ?? []), document]);
  }
  return [...found.keys()].sort().map((key) => ({ key, value: reduce(found.get(key)!) }));
}

/** A worker that ends at once, or stands still for longer than it may; by part and attempt, so that a failing run can be had again. */
const trouble = `
import das, os, random, time
def trouble(what, share):
    dice = random.Random(f"{das.part} {das.attempt} {what}").random()
    if das.part == "map:0-2" and what == "text-01" or dice < share:
        os._exit(1)
    if dice < share * 1.5:
        time.sleep(3600)
`;
const calm = 'def trouble(what, share):\n    pass\n';

const wordCount = `
def map(item):
    trouble(item["name"], 0.2)
    print("mapped", item["name"])
    for word in item["text"].split():
        yield word, 1
def reduce(key, values):
    trouble(key, 0.01)
    print("reduced", key)
    return sum(values)
`;
const indexer = `
def map(item):
    trouble(item["name"], 0.2)
    for word in sorted(set(item["text"].split())):
        yield word, item["name"]
def reduce(key, values):
    trouble(key, 0.01)
    return [len(values), values]
`;
const counted = sequential((found) => found.length);
const indexed = sequential((found) => {
  const names = [...new Set(found.map(({ name }) => name))];
  return [names.length, names];
});

async function submitted(text: string, more: object): Promise<string> {
  const input = lines(corpus.length, (index) => corpus[index]);
  return (await running.node(1).upload({ code: script(text), input: { format: 'ndjson' }, ...more }, input)).id;
}

const parsed = (text: string): Pair[] =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Pair);

/** Small parts and buckets, so that there is much to go wrong; more tries than bad luck can use up. */
const harsh = { itemsPerPart: 2, buckets: 6, retries: 100, timeoutMs: 1_000 };

describe('under workers that crash and stall', () => {
  it.each([
    ['word count', wordCount, counted],
    ['indexer', indexer, indexed],
  ])('%s gives what a sequential run gives', async (_, text, expected) => {
    const id = await submitted(trouble + text, harsh);
    expect((await running.ended(id)).failure).toBeUndefined();
    expect(parsed(await running.node(2).results(id))).toEqual(expected);
    const again = (await running.node(1).parts(id)).filter(({ part }) => part.includes('~'));
    expect(again.map(({ part }) => part)).toContain('map:1-2~1');
    expect(again.length).toBeGreaterThan(3);
  });
});

describe('without a failure', () => {
  it('nothing runs twice', async () => {
    const id = await submitted(calm + wordCount, { itemsPerPart: 2, buckets: 6 });
    expect((await running.ended(id)).state).toBe('succeeded');
    expect(parsed(await running.node(3).results(id))).toEqual(counted);
    const parts = await running.node(1).parts(id);
    expect(parts.map(({ attempts }) => attempts.length)).toEqual(parts.map(() => 1));
    const printed = await (await running.node(2).raw(`/v1/jobs/${id}/logs`)).text();
    const ran = printed
      .trimEnd()
      .split('\n')
      .map((line) => line.replace(/^\[.*?\] /, ''));
    const once = [...corpus.map(({ name }) => `mapped ${name}`), ...counted.map(({ key }) => `reduced ${String(key)}`)];
    expect(ran.sort()).toEqual(once.sort());
  });

  it('maps run side by side on several nodes, reduces too, and no reduce before the last map', async () => {
    const text = `
import das, time
def took(seconds):
    began = time.time()
    time.sleep(seconds)
    return [began, time.time(), das.node]
def map(item):
    yield item, took(1)
def reduce(key, values):
    return {"map": values[0], "reduce": took(1)}
`;
    const submission = { code: script(text), input: { range: [0, 6] }, itemsPerPart: 1, buckets: 6 };
    const job = await running.node(1).submit(submission);
    await running.ended(job.id);
    const took = parsed(await running.node(1).results(job.id)).map(({ value }) => value as Record<string, Took>);
    const [maps, reduces] = [took.map(({ map }) => map!), took.map(({ reduce }) => reduce!)];
    for (const stage of [maps, reduces]) {
      expect(sideBySide(stage)).toBeGreaterThanOrEqual(2);
      expect(new Set(stage.map(([, , node]) => node)).size).toBeGreaterThanOrEqual(2);
    }
    expect(Math.min(...reduces.map(([began]) => began))).toBeGreaterThan(Math.max(...maps.map(([, ended]) => ended)));
  });
});

type Took = readonly [began: number, ended: number, node: string];

/** The most that ran at one moment. */
const sideBySide = (spans: readonly Took[]): number =>
  Math.max(...spans.map(([at]) => spans.filter(([began, ended]) => began <= at && at < ended).length));

it('nobody sees it done before it is', async () => {
  const text = `
import time
def map(item):
    time.sleep(2 if item == 17 else 0.05)
    return [item, time.time()]
`;
  const job = await running.node(1).submit({ code: script(text), input: { range: [0, 40] }, itemsPerPart: 1 });
  const early = new Set<string>();
  for (let done = 0; done < 3;) {
    done = 0;
    for (const node of [1, 2, 3]) {
      const rest = running.node(node);
      const view = await rest.view(job.id);
      const answer = await rest.raw(`/v1/jobs/${job.id}/results`);
      const body = await answer.text();
      if (view.state === 'succeeded') done += 1;
      if (view.state === 'succeeded' || answer.ok) expect([answer.status, body.split('\n').length]).toEqual([200, 41]);
      else early.add(String(answer.status));
    }
  }
  expect([...early]).toEqual(['409']);
  const results = parsed(await running.node(3).results(job.id)) as unknown as Array<[number, number]>;
  expect(results.map(([item]) => item)).toEqual(Array.from({ length: 40 }, (_, item) => item));
  const finished = Date.parse((await running.node(2).view(job.id)).finishedAt!);
  expect(finished / 1_000).toBeGreaterThan(Math.max(...results.map(([, at]) => at)) - 0.001);
});
