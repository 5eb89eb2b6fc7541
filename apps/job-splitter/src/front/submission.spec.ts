import { Fault, type Functions } from '@das/contracts';
import { type Checked, defaultBuckets, paramsBytesMax, parseSubmission, planJob, toleranceOf } from './submission.js';

const script = { code: { text: 'def map(item): return item' } };
const none: Functions = { split: false, map: false, combine: false, reduce: false, gather: false, main: false };
const defines = (...names: (keyof Functions)[]): Functions => ({
  ...none,
  ...Object.fromEntries(names.map((name) => [name, true])),
});

function faultOf(act: () => unknown): Fault {
  try {
    act();
  } catch (error) {
    if (error instanceof Fault) return error;
    throw error;
  }
  throw new Error('expected a fault');
}
const refused = (value: unknown): Fault => faultOf(() => parseSubmission(value));
const parsed = (extra: object = {}): Checked => parseSubmission({ ...script, ...extra });

describe('a submission', () => {
  it.each([
    ['no script', {}, { code: 'REQUEST_INVALID', details: { field: 'code', expected: 'object' } }],
    ['an unknown field', { ...script, retires: 2 }, { code: 'REQUEST_INVALID', details: { field: 'retires' } }],
    ['an unknown field inside', { code: { text: 'x', txet: 1 } }, { details: { field: 'code.txet' } }],
    ['negative retries', { ...script, retries: -1 }, { details: { field: 'retries', expected: 'at least 0' } }],
    ['a strange tolerance', { ...script, tolerate: 'some' }, { details: { field: 'tolerate' } }],
    [
      'another language',
      { code: { text: 'x', language: 'cobol' } },
      { code: 'SCRIPT_LANGUAGE', details: { expected: 'python, node, wasm, command' } },
    ],
    ['an empty script', { code: { text: ' \n\t' } }, { code: 'SCRIPT_EMPTY' }],
    ['half a range', { ...script, input: { range: [1] } }, { details: { field: 'input.range' } }],
    ['a range backwards', { ...script, input: { range: [2, 1] } }, { details: { field: 'input.range' } }],
    ['a range that is too long', { ...script, input: { range: [0, 1e9 + 1] } }, { details: { field: 'input.range' } }],
    [
      'a range beyond 2^53',
      { ...script, input: { range: [2 ** 53, 2 ** 53 + 2] } },
      { details: { field: 'input.range.0' } },
    ],
    ['an unknown input', { ...script, input: { itmes: [] } }, { details: { field: 'input.itmes' } }],
    [
      'large parameters',
      { ...script, params: { a: 'é'.repeat(paramsBytesMax / 2) } },
      { details: { field: 'params' } },
    ],
    ['no object', 'x', { code: 'REQUEST_INVALID' }],
  ])('with %s is refused, naming it', (_what, value, expected) => {
    expect(refused(value)).toMatchObject(expected);
  });

  it.each([
    [{ text: 'x' }, 'python'],
    [{ text: 'x', filename: 'anything' }, 'python'],
    [{ text: 'x', filename: 'a.mts' }, 'node'],
    [{ text: 'x', filename: 'a.wasm' }, 'wasm'],
    [{ text: 'x', filename: 'a.py', language: 'node' }, 'node'],
  ])('of the script %j is in %s', (code, language) => {
    expect(parseSubmission({ code }).code.language).toBe(language);
  });

  it('gets the defaults of the schema', () => {
    expect(planJob(parsed({ input: { items: [] } }), defines('map'), 8).limits).toEqual({
      retries: 2,
      priority: 100,
      buckets: 1,
      tolerate: { items: 0 },
    });
  });

  it('takes its limits as given', () => {
    const given = { timeoutMs: 500, retries: 0, itemsPerPart: 7, priority: 5, concurrency: 3, buckets: 9 };
    const plan = planJob(parsed({ ...given, tolerate: '5%', input: { range: [0, 9] } }), defines('map', 'reduce'), 8);
    expect(plan.limits).toEqual({ ...given, tolerate: { share: 0.05 } });
  });
});

describe('script and input', () => {
  const input = { input: { items: [1] } };
  it.each([
    ['items for map', defines('map'), input, 'blocks'],
    ['a range for map', defines('map', 'gather'), { input: { range: [3, 5] } }, 'range'],
    ['split', defines('split', 'map'), {}, 'split'],
    ['main alone', defines('main', 'gather'), {}, 'none'],
  ])('fit: %s', (_what, functions, extra, kind) => {
    expect(planJob(parsed(extra), functions, 8).input.kind).toBe(kind);
  });

  it.each([
    ['nothing known', none, {}, 'SCRIPT_NO_FUNCTION'],
    ['gather without map', defines('gather', 'split'), {}, 'SCRIPT_NO_FUNCTION'],
    ['map without items', defines('map'), {}, 'INPUT_MISSING'],
    ['split and items', defines('split', 'map'), input, 'INPUT_UNEXPECTED'],
    ['main and items', defines('main'), input, 'INPUT_UNEXPECTED'],
    ['combine without reduce', defines('map', 'combine'), input, 'REQUEST_INVALID'],
  ])('do not fit: %s', (_what, functions, extra, code) => {
    expect(faultOf(() => planJob(parsed(extra), functions, 8)).code).toBe(code);
  });

  it('leave main aside when there is a map: many scripts have one to be run by hand', () => {
    expect(planJob(parsed(input), defines('map', 'main'), 8).functions).toEqual(defines('map'));
  });

  it('give main alone no other step', () => {
    expect(planJob(parsed(), defines('main', 'gather', 'reduce'), 8).functions).toEqual(defines('main'));
  });

  it('use buckets only for reduce, the given number first', () => {
    expect(planJob(parsed(input), defines('map', 'reduce'), 12).limits.buckets).toBe(12);
    expect(planJob(parsed({ ...input, buckets: 3 }), defines('map', 'reduce'), 12).limits.buckets).toBe(3);
  });
});

describe('numbers', () => {
  it('tolerate a share or a number', () => {
    expect([toleranceOf('5%'), toleranceOf('0.5%'), toleranceOf(3)]).toEqual([
      { share: 0.05 },
      { share: 0.005 },
      { items: 3 },
    ]);
    expect(faultOf(() => toleranceOf('101%')).details.field).toBe('tolerate');
  });

  it('make two buckets per slot, from 1 to 64', () => {
    expect([0, 1, 6, 100].map(defaultBuckets)).toEqual([1, 2, 12, 64]);
  });
});
