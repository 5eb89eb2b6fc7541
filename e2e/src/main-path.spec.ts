import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { connect } from '@nats-io/transport-node';
import type { JobView } from '@das/contracts';
import { Refused, type Rest } from './rest.js';
import { lines, repository, script, testCluster, until, type TestCluster } from './harness.js';

let it3: TestCluster;
beforeAll(async () => {
  it3 = await testCluster();
});
afterAll(() => it3.stop());

const corpus = join(repository, 'examples/word-count/corpus');
const example = (path: string): string => readFileSync(join(repository, 'examples', path), 'utf8');

describe('a job through a cluster of three', () => {
  it('gives the same bytes from every node, whichever took it', async () => {
    const job = await it3.node(3).submit({
      code: script('def map(item):\n    return {"n": item, "text": "größer ✓"}\n'),
      input: { range: [5, 1_005] },
    });
    expect((await it3.ended(job.id)).state).toBe('succeeded');
    const expected = lines(1_000, (index) => ({ n: index + 5, text: 'größer ✓' }));
    const normalized = (text: string) =>
      text
        .trimEnd()
        .split('\n')
        .map((line) => JSON.stringify(JSON.parse(line)))
        .join('\n') + '\n';
    const [first, second, third] = await Promise.all([1, 2, 3].map((node) => it3.node(node).results(job.id)));
    expect(normalized(first!)).toBe(expected);
    expect(second).toBe(first);
    expect(third).toBe(first);
  });

  it('returns 200,000 tiny items complete and in input order', async () => {
    const job = await it3.node(2).upload(
      { code: script('def map(item):\n    return item["i"] + 1\n'), input: { format: 'ndjson' } },
      lines(200_000, (i) => ({ i })),
    );
    const view = await it3.ended(job.id);
    expect(view).toMatchObject({
      state: 'succeeded',
      items: { total: 200_000, final: true, committed: 200_000, failed: 0 },
    });
    expect(await it3.node(1).results(job.id)).toBe(lines(200_000, (i) => i + 1));
  });

  it('makes one job of submissions with the same key, sent to all nodes at once', async () => {
    const submission = { code: script('def map(item):\n    return item\n'), input: { format: 'ndjson' } };
    const input = lines(50_000, (i) => ({ i, pad: 'x'.repeat(20) }));
    const all = [1, 2, 3].map((node) => it3.node(node));
    // Who comes while another one uploads is told to come again.
    const patient = (rest: Rest, text: string): Promise<JobView> =>
      until('the key is not in use', () =>
        rest.upload(submission, text, 'one').catch((error: unknown) => {
          if (error instanceof Refused && error.problem.code === 'IDEMPOTENCY_KEY_IN_USE') return undefined;
          throw error;
        }),
      );
    const jobs = await Promise.all(all.map((rest) => patient(rest, input)));
    expect(new Set(jobs.map(({ id }) => id)).size).toBe(1);
    const other = await it3
      .node(2)
      .upload(submission, `${input}1\n`, 'one')
      .then(String, (error: Refused) => error);
    expect(other).toMatchObject({ status: 422, problem: { code: 'IDEMPOTENCY_KEY_REUSED' } });
    await it3.ended(jobs[0]!.id);
    expect(await it3.node(3).results(jobs[0]!.id)).toBe(input);
  });

  it('counts the words of the corpus as tr, sort and uniq do', async () => {
    const files = readdirSync(corpus)
      .filter((file) => file.endsWith('.txt'))
      .sort();
    const input = files
      .map((name) => JSON.stringify({ name, text: readFileSync(join(corpus, name), 'utf8') }) + '\n')
      .join('');
    const job = await it3
      .node(1)
      .upload({ code: script(example('word-count/word_count.py')), input: { format: 'ndjson' } }, input);
    expect((await it3.ended(job.id)).state).toBe('succeeded');
    const counted = (await it3.node(2).results(job.id))
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { key: string; value: number });
    const sequential = execFileSync(
      'sh',
      [
        '-c',
        `cat ${corpus}/*.txt | LC_ALL=C tr -cs 'A-Za-z' '\\n' | LC_ALL=C tr 'A-Z' 'a-z' | grep . | LC_ALL=C sort | uniq -c`,
      ],
      { maxBuffer: 64 * 1024 * 1024 },
    ).toString();
    const mine = counted.map(({ key, value }) => `${String(value).padStart(7)} ${key}\n`).join('');
    expect(mine).toBe(sequential);
    const nodes = new Set((await it3.node(1).parts(job.id)).flatMap((part) => part.attempts.map(({ node }) => node)));
    expect(nodes.size).toBe(3);
  });

  it('splits, maps and gathers', async () => {
    const text = [
      'def split(params):',
      '    for n in range(params["count"]):',
      '        yield {"n": n}',
      'def map(item, params):',
      '    return item["n"] * params["factor"]',
      'def gather(results):',
      '    assert len(results) == 5000',
      '    return {"sum": sum(results), "again": sum(results)}',
    ].join('\n');
    const job = await it3.node(2).submit({ code: script(text), params: { count: 5_000, factor: 3 } });
    expect(await it3.ended(job.id)).toMatchObject({ state: 'succeeded', items: { total: 5_000, final: true } });
    const sum = (4_999 * 5_000 * 3) / 2;
    expect(JSON.parse(await it3.node(3).results(job.id))).toEqual({ sum, again: sum });
  });

  it('runs main() alone, and gather over nothing', async () => {
    const main = await it3
      .node(1)
      .submit({ code: script('def main(params):\n    yield from range(params["n"])\n'), params: { n: 3 } });
    await it3.ended(main.id);
    expect(await it3.node(2).results(main.id)).toBe('0\n1\n2\n');
    const empty = await it3.node(1).upload(
      {
        code: script('def map(x):\n    return x\ndef gather(results):\n    return len(results)\n'),
        input: { format: 'ndjson' },
      },
      '',
    );
    expect((await it3.ended(empty.id)).state).toBe('succeeded');
    expect(await it3.node(1).results(empty.id)).toBe('0\n');
  });

  it('answers in one request with ?wait', async () => {
    const init = {
      method: 'POST',
      body: JSON.stringify({ code: script('def map(x):\n    return x\n'), input: { items: [1, 'two', null] } }),
      headers: { 'content-type': 'application/json', accept: 'application/x-ndjson' },
    };
    const response = await it3.node(3).raw('/v1/jobs?wait=30s', init);
    expect(response.status).toBe(200);
    expect(await response.text()).toBe('1\n"two"\nnull\n');
  });

  it('takes plain JSON from a bare NATS client and gives it the bytes of REST', async () => {
    const bare = await connect({ servers: it3.cluster.natsUrl, token: it3.cluster.token });
    try {
      const submission = { code: script('def map(x):\n    return {"x": x}\n'), input: { range: [0, 300] } };
      const submitted = (
        await bare.request('das.v1.jobs.submit', JSON.stringify(submission), { timeout: 10_000 })
      ).json<{ id: string }>();
      await it3.ended(submitted.id);
      const ask = JSON.stringify({ job: submitted.id });
      const reply = await bare.request('das.v1.jobs.results', ask, { timeout: 10_000 });
      expect(reply.string()).toBe(await it3.node(1).results(submitted.id));
      const unknown = await bare.request('das.v1.jobs.get', '{"job":"nope"}', { timeout: 10_000 });
      expect(unknown.json()).toMatchObject({ code: 'JOB_NOT_FOUND' });
    } finally {
      await bare.close();
    }
  });

  it('keeps prints as logs and replays events', async () => {
    const job = await it3
      .node(1)
      .submit({ code: script('def map(x):\n    print("hello", x)\n    return x\n'), input: { items: [7] } });
    await it3.ended(job.id);
    const events = await (await it3.node(2).raw(`/v1/jobs/${job.id}/events`)).text();
    const states = [...events.matchAll(/"state":"(\w+)"/g)].map(([, state]) => state);
    expect(states[0]).toBe('running');
    expect(states.at(-1)).toBe('succeeded');
    await until('the log is there', async () => {
      const log = await (await it3.node(3).raw(`/v1/jobs/${job.id}/logs`)).text();
      return log.includes('hello 7') ? true : undefined;
    });
  });

  it('shows nodes, one leader, health and its OpenAPI document', async () => {
    const nodes = await it3.node(2).nodes();
    expect(nodes.map(({ name, state, slots }) => [name, state, slots]).sort()).toEqual([
      ['node-1', 'alive', 2],
      ['node-2', 'alive', 2],
      ['node-3', 'alive', 2],
    ]);
    expect(nodes.filter(({ leader }) => leader)).toHaveLength(1);
    expect((await it3.node(1).leader()).leader).toBe((await it3.node(3).leader()).leader);
    expect((await fetch(`${it3.node(1).url}/health/ready`)).status).toBe(200);
    expect((await it3.node(1).json<{ openapi: string }>('/openapi.json')).openapi).toMatch(/^3\./);
  });
});
