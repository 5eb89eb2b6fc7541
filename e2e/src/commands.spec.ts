import { readFileSync, readdirSync } from 'node:fs';
import { lines, testCluster, until, type TestCluster } from './harness.js';

const command = (text: string, filename = 'command') => ({ language: 'command', filename, text });
const parsed = (results: string): unknown[] =>
  results
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown);

/** Workers that have a command with the mark below them: its environment came from there. */
function workersOf(mark: string): number[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.flatMap((pid) => {
    try {
      const status = readFileSync(`/proc/${pid}/status`, 'utf8');
      if (!readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(mark)) return [];
      return [Number(/^PPid:\t(\d+)/m.exec(status)?.[1])];
    } catch {
      return [];
    }
  });
}

describe('a job that is a command', () => {
  let running: TestCluster;
  beforeAll(async () => {
    running = await testCluster({ nodes: 2 });
  });
  afterAll(() => running.stop());

  it('takes lines and gives lines, in order, from any node', async () => {
    const input = lines(20_000, (n) => `line ${n}`);
    const job = await running.node(1).upload({ code: command('tr a-z A-Z'), input: { format: 'ndjson' } }, input);
    expect(job).toMatchObject({ name: 'command' });
    expect(await running.ended(job.id)).toMatchObject({ state: 'succeeded', items: { committed: 20_000 } });
    const results = parsed(await running.node(2).results(job.id));
    expect(results).toEqual(Array.from({ length: 20_000 }, (_, n) => `LINE ${n}`));
  });

  it('loses nothing when its worker is killed in the middle', async () => {
    const mark = `das-e2e-${process.pid}`;
    const text = `: ${mark}; while read x; do sleep 0.02; echo $x; done`;
    const job = await running.node(1).submit({ code: command(text), input: { range: [0, 400] }, itemsPerPart: 100 });
    const [victim] = await until('it runs', async () => {
      const workers = workersOf(mark).filter((pid) => pid > 1);
      return (await running.node(1).view(job.id)).items.committed >= 0 && workers.length > 0 ? workers : undefined;
    });
    process.kill(victim!, 'SIGKILL');
    expect(await running.ended(job.id)).toMatchObject({ state: 'succeeded', items: { committed: 400, failed: 0 } });
    expect(parsed(await running.node(2).results(job.id))).toEqual(Array.from({ length: 400 }, (_, n) => String(n)));
    await until('nothing of it is left', async () => (workersOf(mark).length === 0 ? true : undefined));
  });

  it('runs a program once for each item, with the item among its words, and names the one that fails', async () => {
    const job = await running.node(1).submit({
      code: command('', 'test'),
      command: {
        run: 'words',
        words: ['sh', '-c', '[ "$1" = 7 ] && { echo "no sevens" >&2; exit 9; }; echo "<$1>"', 'x', '{}'],
      },
      input: { range: [0, 10] },
      retries: 1,
      tolerate: 1,
    });
    expect(await running.ended(job.id)).toMatchObject({ state: 'succeeded', items: { committed: 9, failed: 1 } });
    const results = parsed(await running.node(1).results(job.id));
    expect(results[3]).toBe('<3>');
    expect(results[7]).toMatchObject({
      $error: { item: 7, message: 'the command ended with exit code 9: no sevens' },
    });
  });

  it('is refused before it is a job when a shell cannot read it', async () => {
    const refused = running.node(1).submit({ code: command('if true; then\necho x\n'), input: { items: [1] } });
    await expect(refused).rejects.toMatchObject({ status: 400, problem: { code: 'SCRIPT_SYNTAX' } });
  });

  it('fails with the numbers when its lines are not one for each item', async () => {
    const job = await running.node(1).submit({ code: command('grep 1'), input: { range: [0, 16] } });
    const { state, failure } = await running.ended(job.id);
    expect(state).toBe('failed');
    expect(failure?.message).toMatch(/gave \d+ lines? for items \d+ to \d+/);
  });
});
