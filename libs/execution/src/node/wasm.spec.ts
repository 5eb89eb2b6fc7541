import process from 'node:process';
import { SystemClock, newId } from '@das/platform';
import { filterContract } from '../ports/runtime.contract.js';
import type { RuntimeHarness, WorkerHarness } from '../testing/runtime-harness.js';
import { benchHarness } from '../testing/bench-harness.js';
import { mapItems, mapRange, runPart } from '../testing/runtime-parts.js';
import { wasmModules } from '../testing/wasm-modules.js';
import { NodeRuntime } from './node-runtime.js';

const start = () => benchHarness(new SystemClock(), newId, { runtime: new NodeRuntime(process.execPath) });
const filename = 'filter.wasm';
const lacking = (what: string): string =>
  `a WebAssembly module maps lines of stdin to lines of stdout; it has no ${what}`;

filterContract('WebAssembly', start, {
  ...{ language: 'wasm', filename, identity: wasmModules.echo },
  cannot: {
    ...{ split: lacking('split'), reduce: lacking('reduce'), gather: lacking('gather'), main: lacking('main') },
    ...{ hook: lacking('hooks'), pairs: lacking('reduce') },
  },
});

describe('a WASI command', () => {
  let harness: RuntimeHarness;
  beforeAll(async () => {
    harness = await start();
  });
  afterAll(() => harness.close());

  const script = (text: string) => ({ language: 'wasm', filename, text }) as const;
  const loaded = async (text: string, params = {}): Promise<WorkerHarness> => {
    const fresh = await harness.fresh();
    expect(await fresh.worker.load({ ...script(text), job: 'j', node: 'n', params })).toBeUndefined();
    return fresh;
  };
  const mood = async (...items: string[]) => {
    const { worker, prints } = await loaded(wasmModules.moody);
    return { ...(await runPart(worker, mapItems(items))), prints };
  };

  it('that ends with another code fails the item at which it stopped, with what it complained of; the others are mapped', async () => {
    const { lines, failures, end, prints } = await mood('1', '3', '2');
    expect([lines, end.kind]).toEqual([['1', '2'], 'ended']);
    const message = 'the module ended with exit code 3: no threes here';
    expect(failures).toEqual([{ item: 1, message, itemText: '3' }]);
    expect(prints()).toBe('no threes here\n');
  });

  it('that traps fails the item at which it stopped', async () => {
    const { lines, failures } = await mood('1', '4', '4', '2');
    expect(lines).toEqual(['1', '2']);
    expect(failures.map(({ item, message }) => [item, message])).toEqual([
      [1, 'RuntimeError: unreachable'],
      [2, 'RuntimeError: unreachable'],
    ]);
  });

  it('that gives what is not JSON fails that item', async () => {
    const { lines, failures } = await mood('1', '5', '2');
    expect(lines).toEqual(['1', '2']);
    expect(failures).toMatchObject([{ item: 1, message: expect.stringContaining('the result is not JSON') }]);
  });

  it('that gives fewer results than items fails the first that has none', async () => {
    const { lines, failures } = await mood('1', '9', '2');
    expect(lines).toEqual(['1', '2']);
    expect(failures).toMatchObject([{ item: 1, message: 'the module ended after 1 results of 3 items' }]);
  });

  it('that gives more results than items fails the last, whose result nobody can tell', async () => {
    const { lines, failures } = await mood('6', '2');
    expect(lines).toEqual(['1']);
    expect(failures).toMatchObject([{ item: 1, message: 'the module gave more than one result per item (2 items)' }]);
  });

  it('gives the rest back after 20 failures', async () => {
    const { failures, received } = await mood(...Array<string>(30).fill('3'));
    expect([failures.length, received]).toEqual([20, 20]);
  });

  it('that never ends says at which item it is, and can be killed', async () => {
    const { worker, kill } = await loaded(wasmModules.moody);
    const running = runPart(worker, mapItems(['1', '2', '8']));
    let over = false;
    void running.then(() => (over = true));
    while (worker.position().item !== 2 && !over) await new Promise(setImmediate);
    kill();
    expect((await running).end).toMatchObject({ kind: 'gone', exit: { signal: 'SIGKILL' } });
    expect(worker.position().item).toBe(2);
  });

  it('gets the parameters as arguments', async () => {
    const { worker } = await loaded(wasmModules.argument, { a: 1234 });
    expect((await runPart(worker, mapRange(0, 1))).lines).toEqual(['"a=1234"']);
  });

  it.each([
    ['no WebAssembly', Buffer.from('hello').toString('base64'), 'this is not a WebAssembly module'],
    ['a library', wasmModules.library, 'it must export _start and memory'],
    ['a torn module', wasmModules.echo.slice(0, 200), 'WebAssembly.compile()'],
  ])('that is %s is refused in words, before and while it is loaded', async (_, text, words) => {
    const { worker } = await harness.fresh();
    expect((await worker.inspect(script(text))).fault?.message).toContain(words);
    const failure = await worker.load({ ...script(text), job: 'j', node: 'n', params: {} });
    expect(failure?.message).toContain(words);
  });
});
