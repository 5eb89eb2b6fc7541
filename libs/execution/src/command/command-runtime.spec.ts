import { readdirSync, readFileSync } from 'node:fs';
import type { CommandSpec } from '@das/contracts';
import { SystemClock, newId } from '@das/platform';
import type { RuntimeHarness, WorkerHarness } from '../testing/runtime-harness.js';
import { benchHarness } from '../testing/bench-harness.js';
import { type Heard, mapItems, mapRange, runPart, step } from '../testing/runtime-parts.js';

const plain: CommandSpec = { run: 'shell', words: [], perItem: false, items: 'text', results: 'text' };
const quoted = (...items: unknown[]) => mapItems(items.map((item) => JSON.stringify(item)));

const code = { language: 'command', filename: 'count.sh' } as const;

describe('a command', () => {
  let harness: RuntimeHarness;
  beforeAll(async () => {
    harness = await benchHarness(new SystemClock(), newId, { how: 'fork' });
  }, 30_000);
  afterAll(() => harness.close(), 30_000);

  const load = async (text: string, how: Partial<CommandSpec> = {}, params = {}): Promise<WorkerHarness> => {
    const loaded = await harness.fresh();
    const job = { job: 'j-1', node: 'node-1', ...code, text, params };
    expect(await loaded.worker.load({ ...job, command: { ...plain, ...how } })).toBeUndefined();
    return loaded;
  };
  const ran = async (text: string, work = mapRange(0, 4), how: Partial<CommandSpec> = {}): Promise<Heard> =>
    runPart((await load(text, how)).worker, work);
  const messages = ({ failures }: Heard): Array<[number, string]> =>
    failures.map(({ item, message }) => [item, message]);

  it('gets text as it is and other values as JSON, and gives text', async () => {
    const { lines } = await ran('cat', quoted('ä b', 5, { a: [1, 'x y'] }, '', null));
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual(['ä b', '5', '{"a":[1,"x y"]}', '', 'null']);
  });

  it('takes and gives JSON when it is to', async () => {
    const how = { items: 'json', results: 'json' } as const;
    expect((await ran('cat', quoted('a\nb', { a: 1 }), how)).lines).toEqual(['"a\\nb"', '{"a":1}']);
    const odd = await ran('echo 1; echo oops; echo 3', mapRange(0, 3), how);
    expect([odd.lines, messages(odd)]).toEqual([['1', '3'], [[1, expect.stringContaining('not JSON')]]]);
  });

  it('refuses an item that is two lines, and what is not UTF-8, each by itself', async () => {
    const two = await ran('cat', quoted('a', 'b\nc', 'd'));
    expect([two.lines, messages(two)]).toEqual([['"a"', '"d"'], [[1, expect.stringContaining('line end')]]]);
    const latin = await ran(`printf 'a\\nb\\344\\nc\\n'`, mapRange(0, 3));
    expect([latin.lines, messages(latin)]).toEqual([['"a"', '"c"'], [[1, expect.stringContaining('0xe4')]]]);
  });

  it.each(['sort -n | cat', 'all=$(cat); echo "$all"', `yes x | head -n 4; cat >/dev/null`, `cat; printf ''`])(
    'may write when it likes: %s',
    async (text) => {
      const { lines, end } = await ran(text);
      expect([lines.length, end.kind]).toEqual([4, 'ended']);
    },
  );

  it('says so when its lines are not one for each item, and how many they were', async () => {
    expect((await ran('grep 1', mapRange(0, 20))).end).toMatchObject({
      kind: 'fatal',
      failure: { message: expect.stringContaining('gave 11 lines for items 0 to 19, 20 of them') },
    });
    expect((await ran('head -n 3', mapRange(0, 200_000))).end).toMatchObject({
      kind: 'fatal',
      failure: { message: expect.stringContaining('gave 3 lines for items 0 to 199999') },
    });
    expect((await ran('yes', mapRange(0, 20))).end.kind).toBe('fatal');
    expect(messages(await ran('echo a; echo b', mapRange(7, 8)))).toEqual([[7, 'the command gave 2 lines for 1 item']]);
  });

  it('keeps what it gave before it failed, and names the item that it fails at, whether it writes at once or late', async () => {
    const atOnce = `while read x; do [ $x = 57 ] && { echo "no $x" >&2; exit 3; }; echo $x; done`;
    const late = `o=; while read x; do [ $x = 57 ] && { echo "no $x" >&2; exit 3; }; o="$o$x\n"; done; printf "$o"`;
    for (const text of [atOnce, late]) {
      const heard = await ran(text, mapRange(0, 100));
      expect(messages(heard)).toEqual([[57, 'the command ended with exit code 3: no 57']]);
      expect(heard.lines.length).toBe(99);
    }
  });

  it('counts the last line only when it ends well', async () => {
    const heard = await ran('cat; kill -9 $$', mapRange(0, 3));
    expect(heard.lines).toEqual(['"0"', '"1"']);
    expect(messages(heard)).toEqual([[2, 'the command was killed by SIGKILL']]);
  });

  it('runs once for each item where the item stands among its words, and never as shell text', async () => {
    const items = ['$(echo x)', "a'b", 'c"d', '; exit 9', '-n', 'two\nlines', '  '];
    const heard = await ran(`printf '%s|' {} "<{}>" '{}' a{}b {n}; cat`, quoted(...items));
    expect(heard.lines.map((line) => JSON.parse(line) as string)).toEqual(
      items.map((item, n) => `${item}|<${item}>|{}|a${item}b|${n}|`),
    );
    const words = await ran('shown', quoted(...items), { run: 'words', words: ['printf', '%s|', '{}', '{n}'] });
    expect(words.lines.map((line) => JSON.parse(line) as string)).toEqual(items.map((item, n) => `${item}|${n}|`));
  });

  it('knows the parts of a path', async () => {
    const { lines } = await ran(`echo {.} {/} {//} {/.}`, quoted('/a/b.c/d.tar.gz', 'x', 'y/.z'));
    expect(lines).toEqual(['"/a/b.c/d.tar d.tar.gz /a/b.c d.tar"', '"x x . x"', '"y/.z .z y .z"']);
  });

  it('refuses what no argument can hold, in words', async () => {
    const heard = await ran('printf %s {}', quoted('a\0b', 'x'.repeat(200_000), 'ok'));
    expect(heard.lines).toEqual(['"ok"']);
    expect(messages(heard)).toEqual([
      [0, expect.stringContaining('NUL')],
      [1, expect.stringContaining('200000 bytes, an argument at most 131071')],
    ]);
  });

  it('may run once for each item with the item as its input, and give what it likes', async () => {
    const heard = await ran('[ $DAS_ITEM_NUMBER = 2 ] && exit 4; wc -c; echo', quoted('a\nb', 'c', 'd', 'e'), {
      perItem: true,
    });
    expect(heard.lines).toEqual(['"4\\n"', '"2\\n"', '"2\\n"']);
    expect(messages(heard)).toEqual([[2, 'the command ended with exit code 4']]);
  });

  it('may be a file of any language, with arguments', async () => {
    const file = { run: 'file', words: ['--x', 'y z'] } as const;
    const python = '#!/usr/bin/env python3\nimport sys\nfor l in sys.stdin: print(sys.argv[1:], l.strip())\n';
    expect((await ran(python, mapRange(0, 1), file)).lines).toEqual([`"['--x', 'y z'] 0"`]);
    expect((await ran('sed "s/^/$1 /"', mapRange(0, 1), file)).lines).toEqual(['"--x 0"']);
  });

  it('runs once for a job without items: its lines are the result', async () => {
    const main = { ...step, kind: 'main' } as const;
    const given = await runPart((await load('echo "$DAS_PARAM_a b"; printf c', {}, { a: 'x' })).worker, main);
    expect(given).toMatchObject({ lines: ['"x b"', '"c"'], end: { kind: 'ended', items: 2 } });
    const broken = await runPart((await load('echo so >&2; exit 2')).worker, main);
    expect(broken.end).toMatchObject({
      kind: 'failed',
      failure: { message: 'the command ended with exit code 2: so' },
    });
    expect((await runPart((await load('echo {}')).worker, main)).end.kind).toBe('fatal');
  });

  it('tells where it runs what cannot be started', async () => {
    const heard = await ran('shown', mapRange(0, 3), { run: 'words', words: ['no-such-tool', '{}'] });
    expect(heard.end).toMatchObject({
      kind: 'fatal',
      failure: { message: 'no-such-tool cannot be started on node-1: No such file or directory' },
    });
    const shell = await ran('no-such-tool', mapRange(0, 1));
    expect(shell.failures[0]).toMatchObject({
      message: expect.stringMatching(/exit code 127: .*no-such-tool: not found/),
      hint: expect.stringContaining('on every node'),
    });
  });

  it('cannot reach the way between worker and executor', async () => {
    const { lines } = await ran(`ls /proc/self/fd | tr '\\n' ' '; echo`, mapRange(0, 1), { perItem: true });
    expect(lines[0]).toMatch(/^"0 1 2 3 "?/);
    const { failures } = await ran('echo x >&3', mapRange(0, 1));
    expect(failures[0]?.message).toContain('ad file descriptor');
  });

  it('leaves nothing behind, neither by itself nor when it is cancelled', async () => {
    const mark = `das-command-${process.pid}`;
    await ran(`MARK=${mark} setsid -w true; MARK=${mark} sleep 300 & echo x`, mapRange(0, 2), { perItem: true });
    await noneLeft(mark);
    const script = await load(`echo begun >&2; export MARK=${mark}; sleep 300 & sleep 300`);
    const running = runPart(script.worker, mapRange(0, 1));
    while (processesWith(mark).length < 2) await new Promise(setImmediate);
    await script.cancel();
    expect((await running).end.kind).toBe('gone');
    await noneLeft(mark);
  });

  it('says where shell text breaks, without running it', async () => {
    const { worker } = await harness.fresh();
    expect((await worker.inspect({ ...code, text: 'echo a\nif true; do\n' })).fault).toMatchObject({
      line: 2,
      text: 'if true; do',
      message: expect.stringMatching(/syntax error/i),
    });
    expect((await worker.inspect({ ...code, text: 'exit 3' })).functions?.map).toBe(true);
  });
});

/** What was killed is listed for a moment more. */
async function noneLeft(mark: string): Promise<void> {
  while (processesWith(mark).length > 0) await new Promise(setImmediate);
}

function processesWith(mark: string): string[] {
  return readdirSync('/proc').filter((pid) => {
    try {
      return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/environ`, 'latin1').includes(`MARK=${mark}`);
    } catch {
      return false;
    }
  });
}
