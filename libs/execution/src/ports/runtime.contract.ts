import type { BlockHead } from '@das/contracts';
import type { Exit, ScriptFailure } from '../core/failures.js';
import type { Page, RunEnd, RuntimeWorker, Work, WorkSink } from './runtime.js';

/** A started worker with the means to end it, and what it printed. */
export interface WorkerHarness {
  readonly worker: RuntimeWorker;
  /** Everything printed so far. */
  prints(): string;
  /** Asks the worker to end, then ends it; resolves when it is gone. */
  cancel(): Promise<Exit>;
  kill(): void;
}
export interface RuntimeHarness {
  /** A worker that knows no script. */
  fresh(): Promise<WorkerHarness>;
  close(): Promise<void>;
}

/** The same behaviours in the language of the runtime; each `map` or step as its name says. */
export interface RuntimeScripts {
  /** `map` gives the item; `gather` all results; `main` the parameters. */
  readonly identity: string;
  /** `map` prints "says äöü <item>" and gives 0. */
  readonly prints: string;
  /** Raises "bad item" at item value 3, gives the item otherwise. */
  readonly raisesAt3: string;
  /** Always raises. */
  readonly raises: string;
  /** Gives NaN at 0, what is not JSON at 1, something nested 100,000 deep at 2, a lone surrogate at 3, a 17 MiB string at 4, a 2 MiB string at 5. */
  readonly oddResults: string;
  readonly generator: string;
  readonly asynchronous: string;
  /** Closes its standard output, then gives the item. */
  readonly closesStdout: string;
  /** Starts a child that goes on as if it were the worker, and one that sleeps for ever; gives the item. */
  readonly forks: string;
  /** Ignores SIGTERM and never returns. */
  readonly ignoresTerm: string;
  /** Runs until it is told that it is cancelled, then ends the process with code 7. */
  readonly endsWhenCancelled: string;
  /** Prints about 8 MB at each item. */
  readonly floods: string;
  /** Ends the process with code 3 at item value 3; slow enough (60 ms) for each result to be told. */
  readonly exitsAt3: string;
  /** Asks the interpreter to exit with code 3 at item value 3. */
  readonly asksToExitAt3: string;
  /** Allocates 8 GiB at item value 3. */
  readonly allocatesAt3: string;
  /** `map` waits for ever, reporting progress all the time. */
  readonly reportsProgress: string;
  /** Fails while it is imported, with "no such thing". */
  readonly failsImport: string;
  /** `split` yields 0 … params.count-1, as {"n": params.sign × i}. */
  readonly splits: string;
  /** Word count: `map` yields (word, 1), `combine` and `reduce` sum. */
  readonly wordCount: string;
  /** The same, without `combine`; gather gives the keys. */
  readonly wordKeys: string;
  /** A syntax fault in line 2. */
  readonly brokenSyntax: string;
  /** Defines `map` and an asynchronous `gather`, imports `reduce`. */
  readonly definesThree: string;
}

interface Heard {
  end: RunEnd;
  lines: string[];
  failures: Array<ScriptFailure & { item: number }>;
  pairs: Array<[bucket: number, line: string]>;
  blocks: Array<BlockHead & { text: string }>;
  received: number;
}

const linesOf = (raw: Uint8Array): string[] => Buffer.from(raw).toString().split('\n').slice(0, -1);

/** Runs one part and collects what it gives. */
export async function runPart(worker: RuntimeWorker, work: Work, sink: Partial<WorkSink> = {}): Promise<Heard> {
  const heard = { lines: [], failures: [], pairs: [], blocks: [], received: work.range.from } as unknown as Heard;
  heard.end = await worker.run(work, {
    results: (items, lines) => {
      heard.received += items;
      heard.lines.push(...linesOf(lines));
    },
    pairs: (items, buckets) => {
      heard.received += items;
      for (const { bucket, lines } of buckets)
        heard.pairs.push(...linesOf(lines).map((line): [number, string] => [bucket, line]));
    },
    failed: (item, failure) => {
      heard.received = item + 1;
      heard.failures.push({ ...failure, item });
    },
    lines: (lines) => void heard.lines.push(...linesOf(lines)),
    block: async (head, lines) => void heard.blocks.push({ ...head, text: Buffer.from(lines).toString() }),
    ...sink,
  });
  return heard;
}

export const pagesOf = (...pages: Array<Partial<Page> & { text: string }>): (() => Promise<Page | undefined>) => {
  const left = pages.map(({ text, count, source = 0 }) => {
    const raw = Buffer.from(text);
    return { raw, source, count: count ?? linesOf(raw).length };
  });
  return async () => left.shift();
};

const base = { part: 'map:0-1', attempt: 1 };
export const mapRange = (from: number, to: number, buckets = 0): Work => ({
  ...{ ...base, kind: 'map', range: { from, to }, buckets },
  items: { base: 0 },
});
export const mapItems = (items: readonly string[], buckets = 0): Work => ({
  ...{ ...base, kind: 'map', range: { from: 0, to: items.length }, buckets },
  items: { pages: pagesOf({ text: items.map((item) => `${item}\n`).join('') }) },
});
const step = { ...base, range: { from: 0, to: 1 } };
const splitWork = (stored: readonly BlockHead[] = []): Work => {
  const pages = stored.length === 0 ? [] : [stored];
  return { ...step, kind: 'split', stored: async () => pages.shift() };
};

/** What every runtime must do, whatever its language. */
export function runtimeContract(name: string, start: () => Promise<RuntimeHarness>, scripts: RuntimeScripts): void {
  describe(`runtime contract: ${name}`, () => {
    let harness: RuntimeHarness;
    beforeAll(async () => {
      harness = await start();
    }, 30_000);
    afterAll(() => harness.close(), 30_000);

    const load = async (text: string, params: Record<string, unknown> = {}): Promise<WorkerHarness> => {
      const fresh = await harness.fresh();
      const failure = await fresh.worker.load({ job: 'j', node: 'n', filename: 'job.py', text, params });
      expect(failure).toBeUndefined();
      return fresh;
    };
    const mapped = async (text: string, work: Work): Promise<Heard> => runPart((await load(text)).worker, work);

    describe('items and results', () => {
      it('gives one result per item, in order, from integers and from pages', async () => {
        const { worker } = await load(scripts.identity);
        const numbers = await runPart(worker, mapRange(5, 1005));
        expect(numbers.lines).toEqual(Array.from({ length: 1000 }, (_, n) => String(n + 5)));
        const items = ['{"a":"ä\\u2028"}', '""', 'null', '[1,[2]]', '1.5', `"${'x'.repeat(600_000)}"`, '{}'];
        const paged = await runPart(worker, mapItems(items));
        expect(paged.lines).toEqual([`{"a":"ä\u2028"}`, ...items.slice(1)]);
        expect(paged.end).toEqual({ kind: 'ended', items: 0 });
      });

      it('takes a part of several pages', async () => {
        const { worker } = await load(scripts.identity);
        const pages = pagesOf({ text: '1\n2\n' }, { text: '3\n' }, { text: '4\n5\n' });
        const work: Work = { ...base, kind: 'map', range: { from: 10, to: 15 }, buckets: 0, items: { pages } };
        expect((await runPart(worker, work)).lines).toEqual(['1', '2', '3', '4', '5']);
      });

      it('says where it is, without a message', async () => {
        const { worker } = await load(scripts.identity);
        await runPart(worker, mapRange(0, 9));
        expect(worker.position().item).toBe(9);
      });

      it('gives a list for a generator, and waits for what is asynchronous', async () => {
        expect((await mapped(scripts.generator, mapRange(0, 3))).lines).toEqual(['[]', '[0]', '[0,1]']);
        expect((await mapped(scripts.asynchronous, mapRange(0, 3))).lines).toEqual(['0', '2', '4']);
      });

      it('names an item that is not JSON, and goes on with the next', async () => {
        const { lines, failures } = await mapped(scripts.identity, mapItems(['1', '{oops', '3']));
        expect(lines).toEqual(['1', '3']);
        expect(failures).toMatchObject([{ item: 1, message: expect.stringContaining('not JSON'), itemText: '{oops' }]);
      });

      it('takes an item that is nested too deeply for a failed one', async () => {
        const deep = '['.repeat(100_000) + ']'.repeat(100_000);
        const { lines, failures } = await mapped(scripts.identity, mapItems(['1', deep, '3']));
        expect(lines).toEqual(['1', '3']);
        expect(failures.map(({ item }) => item)).toEqual([1]);
      });

      it('takes results that are not JSON, or too large, for failures; and large ones for results', async () => {
        const { lines, failures } = await mapped(scripts.oddResults, mapRange(0, 6));
        expect(failures.map(({ item }) => item)).toEqual([0, 1, 2, 4]);
        expect(failures[0]?.message).toContain('NaN');
        expect(failures[1]?.message).toContain('not JSON');
        expect(failures[3]?.message).toMatch(/the limit is 16777216/);
        expect(JSON.parse(lines[0] ?? '')).toBe('\ud800');
        expect(lines[1]).toBe(`"${'y'.repeat(2 * 1024 * 1024)}"`);
      });

      it('waits for a sink that is slow', async () => {
        const { worker } = await load(scripts.identity);
        let open: () => void = () => undefined;
        const held = new Promise<void>((resolve) => (open = resolve));
        let told = 0;
        const running = runPart(worker, mapRange(0, 300_000), {
          results: (items) => {
            told += items;
            return told === items ? held : undefined;
          },
        });
        while (!worker.waitsForUs) await Promise.race([running, new Promise(setImmediate)]);
        expect(told).toBeLessThan(300_000);
        open();
        expect((await running).end).toEqual({ kind: 'ended', items: 0 });
        expect(told).toBe(300_000);
      });
    });

    describe('scripts that fail', () => {
      it('tells an exception with its item and the lines of the script, and goes on', async () => {
        const { lines, failures } = await mapped(scripts.raisesAt3, mapRange(0, 6));
        expect(lines).toEqual(['0', '1', '2', '4', '5']);
        expect(failures).toMatchObject([{ item: 3, message: expect.stringContaining('bad item'), itemText: '3' }]);
        expect(failures[0]?.traceback).toContain('job.py');
        expect(failures[0]?.traceback).not.toContain('<das>');
      });

      it('gives the rest back after 20 failures', async () => {
        const { failures, received, end } = await mapped(scripts.raises, mapRange(0, 1000));
        expect([failures.length, received, end.kind]).toEqual([20, 20, 'ended']);
      });

      it('tells why a script cannot be imported', async () => {
        const { worker } = await harness.fresh();
        const failure = await worker.load({
          job: 'j',
          node: 'n',
          filename: 'job.py',
          text: scripts.failsImport,
          params: {},
        });
        expect(failure?.message).toContain('no such thing');
        expect(failure?.traceback).toContain('job.py');
      });

      it('takes a request to exit for a failure of the item', async () => {
        const { lines, failures } = await mapped(scripts.asksToExitAt3, mapRange(0, 5));
        expect(lines).toEqual(['0', '1', '2', '4']);
        expect(failures[0]?.message).toContain('exit(3)');
      });

      it('keeps what was told before the process ended, and says at which item it was', async () => {
        const { worker } = await load(scripts.exitsAt3);
        const { end, lines } = await runPart(worker, mapRange(0, 6));
        expect(end).toEqual({ kind: 'gone', exit: { code: 3, signal: null } });
        expect(lines).toEqual(['0', '1', '2']);
        expect(worker.position().item).toBe(3);
      }, 15_000);

      it('survives a script that wants too much memory', async () => {
        const { lines, failures } = await mapped(scripts.allocatesAt3, mapRange(0, 5));
        expect(lines).toEqual(['0', '1', '2', '4']);
        expect(failures[0]).toMatchObject({
          item: 3,
          message: expect.stringContaining('MemoryError'),
          hint: expect.stringContaining('memory'),
        });
      });

      it('says fatally that a function is missing', async () => {
        const { worker } = await load(scripts.splits, { count: 0, sign: 1 });
        expect(await runPart(worker, mapRange(0, 1))).toMatchObject({ end: { kind: 'fatal' } });
      });
    });

    describe('scripts that misbehave', () => {
      it('gives prints, whatever language they are in', async () => {
        const script = await load(scripts.prints);
        await runPart(script.worker, mapRange(0, 2));
        await new Promise(setImmediate);
        expect(script.prints()).toBe('says äöü 0\nsays äöü 1\n');
      });

      it('goes on without standard output', async () => {
        expect((await mapped(scripts.closesStdout, mapRange(0, 3))).lines).toEqual(['0', '1', '2']);
      });

      it('is not confused by children that the script forks', async () => {
        const { worker } = await load(scripts.forks);
        for (const _ of [1, 2]) {
          const { lines, end } = await runPart(worker, mapRange(0, 3));
          expect([lines, end.kind]).toEqual([['0', '1', '2'], 'ended']);
        }
      });

      it('reads a flood of prints without standing still', async () => {
        const script = await load(scripts.floods);
        const { lines } = await runPart(script.worker, mapRange(0, 2));
        expect(lines.length).toBe(2);
        expect(script.prints().length).toBeGreaterThan(8_000_000);
      }, 20_000);

      it('ends a script that ignores being asked', async () => {
        const script = await load(scripts.ignoresTerm);
        const running = runPart(script.worker, mapRange(0, 1));
        expect(await script.cancel()).toEqual({ code: null, signal: 'SIGKILL' });
        expect((await running).end).toEqual({ kind: 'gone', exit: { code: null, signal: 'SIGKILL' } });
      }, 15_000);

      it('lets a script that listens end by itself', async () => {
        const script = await load(scripts.endsWhenCancelled);
        const running = runPart(script.worker, mapRange(0, 1));
        while (script.worker.position().counter === 0) await new Promise(setImmediate);
        expect((await script.cancel()).code).toBe(7);
        await running;
      }, 15_000);

      it('shows progress that the script reports', async () => {
        const script = await load(scripts.reportsProgress);
        const running = runPart(script.worker, mapRange(4, 5));
        while (script.worker.position().counter < 5) await new Promise(setImmediate);
        expect(script.worker.position().item).toBe(4);
        script.kill();
        await running;
      }, 15_000);
    });

    describe('split', () => {
      const yielded = (count: number, sign = 1): string =>
        Array.from({ length: count }, (_, n) => `{"n":${n * sign}}\n`).join('');

      it('yields numbered blocks with digests, waiting for each to be stored', async () => {
        const { worker } = await load(scripts.splits, { count: 70_000, sign: 1 });
        let storing = 0;
        const heard = await runPart(worker, splitWork(), {});
        const again = await load(scripts.splits, { count: 70_000, sign: 1 });
        await runPart(again.worker, splitWork(), {
          block: async () => {
            storing += 1;
            expect(storing).toBe(1);
            await new Promise(setImmediate);
            storing -= 1;
          },
        });
        expect(heard.end).toEqual({ kind: 'ended', items: 70_000 });
        expect(heard.blocks.map(({ text }) => text).join('')).toBe(yielded(70_000));
        expect(heard.blocks.map(({ no }) => no)).toEqual(heard.blocks.map((_, no) => no));
        expect(heard.blocks.every(({ from, to, text }) => text.length <= 256 * 1024 && to - from <= 65_536)).toBe(true);
      }, 20_000);

      it('goes on after the blocks that an earlier attempt stored', async () => {
        const first = await runPart((await load(scripts.splits, { count: 9, sign: 1 })).worker, splitWork());
        const stored = first.blocks.map(({ text: _, ...head }) => head);
        const longer = await load(scripts.splits, { count: 12, sign: 1 });
        const { end, blocks } = await runPart(longer.worker, splitWork(stored));
        expect(end).toEqual({ kind: 'ended', items: 12 });
        expect(blocks.map(({ no, from, to }) => [no, from, to])).toEqual([[stored.length, 9, 12]]);
      });

      it.each([
        { what: 'other items', count: 9, sign: -1 },
        { what: 'fewer items', count: 5, sign: 1 },
      ])('says that it yields $what than an earlier attempt', async ({ count, sign }) => {
        const first = await runPart((await load(scripts.splits, { count: 9, sign: 1 })).worker, splitWork());
        const stored = first.blocks.map(({ text: _, ...head }) => head);
        const other = await load(scripts.splits, { count, sign });
        expect((await runPart(other.worker, splitWork(stored))).end.kind).toBe('differs');
      });

      it('yields nothing', async () => {
        const { worker } = await load(scripts.splits, { count: 0, sign: 1 });
        expect(await runPart(worker, splitWork())).toMatchObject({ end: { kind: 'ended', items: 0 }, blocks: [] });
      });
    });

    describe('reduce and gather', () => {
      it('gives combined pairs by bucket, each key in one bucket wherever it is mapped', async () => {
        const { worker } = await load(scripts.wordCount);
        const one = await runPart(worker, mapItems(['"a b a"', '"b ü a"'], 7));
        expect(one.pairs.map(([, line]) => line).sort()).toEqual(['["a",3]', '["b",2]', '["ü",1]']);
        const other = await runPart((await load(scripts.wordKeys)).worker, mapItems(['"ü b"'], 7));
        const bucketOf = (pairs: Heard['pairs'], key: string): number | undefined =>
          pairs.find(([, line]) => line.startsWith(`["${key}"`))?.[0];
        expect(bucketOf(other.pairs, 'ü')).toBe(bucketOf(one.pairs, 'ü'));
        expect(bucketOf(other.pairs, 'b')).toBe(bucketOf(one.pairs, 'b'));
      });

      it('reduces keys in their order, with values in item order', async () => {
        const { worker } = await load(scripts.wordCount);
        const pairs = ['["b",1]', '[[1,2],1]', '["a",2]', '[null,1]', '[true,1]', '[10,1]', '[9.5,1]', '["b",3]'];
        const cut = pairs.join('\n').length - 3;
        const text = `${pairs.join('\n')}\n`;
        const pages = pagesOf({ text: text.slice(0, cut) }, { text: text.slice(cut) });
        const { lines, end } = await runPart(worker, { ...step, kind: 'reduce', pages });
        expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
          { key: null, value: 1 },
          { key: true, value: 1 },
          { key: 9.5, value: 1 },
          { key: 10, value: 1 },
          { key: 'a', value: 2 },
          { key: 'b', value: 4 },
          { key: [1, 2], value: 1 },
        ]);
        expect(end).toEqual({ kind: 'ended', items: 7 });
      });

      it('merges sorted buckets when the script has no gather', async () => {
        const { worker } = await load(scripts.wordCount);
        const line = (key: string): string => `{"key":"${key}","value":1}\n`;
        const pages = pagesOf({ source: 0, text: line('b') + line('d') }, { source: 5, text: line('a') + line('c') });
        const { lines } = await runPart(worker, { ...step, kind: 'gather', merge: true, keyed: true, pages });
        expect(lines.map((text) => (JSON.parse(text) as { key: string }).key)).toEqual(['a', 'b', 'c', 'd']);
      });

      it('gathers reduced lines in key order', async () => {
        const { worker } = await load(scripts.wordKeys);
        const pages = pagesOf(
          { source: 0, text: '{"key":"b","value":1}\n' },
          { source: 1, text: '{"key":"a","value":1}\n' },
        );
        const { lines } = await runPart(worker, { ...step, kind: 'gather', merge: false, keyed: true, pages });
        expect(lines).toEqual(['"a"', '"b"']);
      });

      it('gathers all results, or none, and leaves nothing out of many', async () => {
        const { worker } = await load(scripts.identity);
        const gather = (text: string): Work => ({
          ...step,
          kind: 'gather',
          merge: false,
          keyed: false,
          pages: pagesOf({ text }),
        });
        expect((await runPart(worker, gather(''))).lines).toEqual([]);
        const many = Array.from({ length: 200_000 }, (_, n) => `{"n":${n}}`);
        const { lines } = await runPart(worker, gather(`${many.join('\n')}\n`));
        expect(lines).toEqual(many);
      }, 20_000);

      it('runs main with its parameters', async () => {
        const { worker } = await load(scripts.identity, { p: 'ä' });
        expect((await runPart(worker, { ...step, kind: 'main' })).lines).toEqual(['{"p":"ä"}']);
      });

      it('tells a failing step', async () => {
        const { worker } = await load(scripts.wordCount);
        const pages = pagesOf({ text: '["a","no number"]\n' });
        expect((await runPart(worker, { ...step, kind: 'reduce', pages })).end).toMatchObject({
          kind: 'failed',
          failure: { message: expect.stringContaining('reduce') },
        });
      });
    });

    describe('inspection', () => {
      it('says which functions a script defines, without running it', async () => {
        const { worker, prints } = await harness.fresh();
        const { functions } = await worker.inspect('job.py', scripts.definesThree);
        const none = { split: false, combine: false, main: false };
        expect(functions).toEqual({ ...none, map: true, reduce: true, gather: true });
        expect(prints()).toBe('');
      });

      it('says where the syntax breaks', async () => {
        const { worker } = await harness.fresh();
        const { fault } = await worker.inspect('job.py', scripts.brokenSyntax);
        expect(fault).toMatchObject({
          line: 2,
          text: expect.any(String),
          message: expect.stringContaining('SyntaxError'),
        });
      });
    });
  });
}
