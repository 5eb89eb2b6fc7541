import { Fault, limits } from '@das/contracts';
import fc from 'fast-check';
import type { Block } from './block-builder.js';
import { BlockCutter, type InputFormat } from './blocks.js';

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const textOf = (block: Block): string => new TextDecoder().decode(block.bytes);

function cut(format: InputFormat, chunks: readonly Uint8Array[]): Block[] {
  const cutter = new BlockCutter(format);
  return [...chunks.flatMap((chunk) => cutter.push(chunk)), ...cutter.end()];
}

function itemsOf(format: InputFormat, text: string): string[] {
  return cut(format, [bytesOf(text)]).flatMap((block) => textOf(block).split('\n').slice(0, -1));
}

/** Cuts the bytes at the given places. */
function chunked(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const cuts = [...new Set(places.map((place) => place % (bytes.length + 1)))].sort((a, b) => a - b);
  return [0, ...cuts].map((from, at) => bytes.subarray(from, cuts[at] ?? bytes.length));
}

function faultOf(act: () => unknown): Fault {
  try {
    act();
  } catch (error) {
    if (error instanceof Fault) return error;
    throw error;
  }
  throw new Error('expected a fault');
}

describe('cutting NDJSON', () => {
  it('keeps each line as it is, skips blank ones, and takes CRLF, a byte order mark and a last line without an end', () => {
    expect(itemsOf('ndjson', '\ufeff{"a": 1.50}\r\n\n  \n[1,2]\r\n"x"')).toEqual(['{"a": 1.50}', '[1,2]', '"x"']);
  });

  it('gives no block for no items', () => {
    expect(cut('ndjson', [bytesOf('\n \r\n')])).toEqual([]);
    expect(cut('lines', [])).toEqual([]);
  });

  it('names line, column and text of what is not JSON', () => {
    const fault = faultOf(() => itemsOf('ndjson', '1\n\n{"a" 2}\n'));
    expect(fault.code).toBe('INPUT_NOT_JSON');
    expect(fault.details).toMatchObject({
      field: 'input',
      line: 3,
      text: '{"a" 2}',
      expected: 'one JSON value per line',
    });
    expect(fault.message).toBe('line 3, column 6 of the input is not JSON: {"a" 2}');
  });

  it('refuses two values on a line and one value over two lines', () => {
    expect(faultOf(() => itemsOf('ndjson', '1,2\n')).details.line).toBe(1);
    expect(faultOf(() => itemsOf('ndjson', '[1\n2]\n')).details.line).toBe(1);
  });

  it('refuses bytes that are not UTF-8, naming the line', () => {
    const fault = faultOf(() => cut('ndjson', [Uint8Array.of(0x31, 0x0a, 0x22, 0xff, 0x22)]));
    expect([fault.code, fault.details.line]).toEqual(['INPUT_NOT_JSON', 2]);
  });
});

describe('cutting lines', () => {
  it('makes each line a string, empty ones too; the last line end makes no item', () => {
    expect(itemsOf('lines', 'a"b\r\n\n é\n')).toEqual(['"a\\"b"', '""', '" é"']);
    expect(itemsOf('lines', 'a\n\n')).toEqual(['"a"', '""']);
  });
});

describe('the size of an item', () => {
  const largest = `"${'x'.repeat(limits.itemBytesMax - 2)}"`;
  it('may be the limit, alone in its block', () => {
    const blocks = cut('ndjson', [bytesOf(`1\n${largest}\n2\n`)]);
    expect(blocks.map(({ from, to }) => [from, to])).toEqual([
      [0, 1],
      [1, 2],
      [2, 3],
    ]);
  });

  it('may not be more, also where escaping makes it so', () => {
    const fault = faultOf(() => itemsOf('ndjson', `1\n"${'x'.repeat(limits.itemBytesMax)}"\n`));
    expect([fault.code, fault.details.line]).toEqual(['INPUT_ITEM_TOO_LARGE', 2]);
    expect(faultOf(() => itemsOf('lines', '"'.repeat(limits.itemBytesMax / 2))).code).toBe('INPUT_ITEM_TOO_LARGE');
  });

  it('is refused before its line ends, so that it is never held', () => {
    const cutter = new BlockCutter('lines');
    const chunk = new Uint8Array(limits.itemBytesMax).fill(0x61);
    cutter.push(chunk);
    expect(faultOf(() => cutter.push(chunk)).details.line).toBe(1);
  });
});

describe('blocks', () => {
  it('hold at most the limits, and number items and themselves without a gap', () => {
    const blocks = cut('ndjson', [
      bytesOf('0\n'.repeat(limits.blockItemsMax + 1)),
      bytesOf(`"${'y'.repeat(300)}"\n`.repeat(2_000)),
    ]);
    let [items, no] = [0, 0];
    for (const block of blocks) {
      expect([block.no, block.from]).toEqual([no++, items]);
      expect(block.bytes.length).toBeLessThanOrEqual(limits.blockBytes);
      expect(block.to - block.from).toBeLessThanOrEqual(limits.blockItemsMax);
      expect(textOf(block).split('\n')).toHaveLength(block.to - block.from + 1);
      items = block.to;
    }
    expect(items).toBe(limits.blockItemsMax + 2_001);
  });

  const values = fc.oneof(
    fc.json(),
    fc.string({ unit: 'grapheme', maxLength: 30 }).map((text) => JSON.stringify(text)),
    fc.integer({ min: 1, max: 200_000 }).map((size) => JSON.stringify('z'.repeat(size))),
  );
  const places = fc.array(fc.nat(), { maxLength: 40 });

  it('are the same however the upload is chunked, and hold the items in order', () =>
    fc.assert(
      fc.property(fc.array(values, { maxLength: 12 }), places, fc.boolean(), (items, cuts, ended) => {
        const bytes = bytesOf(items.join('\n') + (ended ? '\n' : ''));
        const blocks = cut('ndjson', chunked(bytes, cuts));
        expect(blocks.map(textOf).join('')).toBe(items.map((item) => `${item}\n`).join(''));
        expect(blocks.map(({ to }) => to)).toEqual(cut('ndjson', [bytes]).map(({ to }) => to));
      }),
      { numRuns: 50 },
    ));

  it('of lines are the same however the upload is chunked', () =>
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'grapheme' })), places, (texts, cuts) => {
        const lines = texts.map((text) => text.replaceAll(/[\r\n]/g, ' '));
        const bytes = bytesOf(lines.map((line) => `${line}\n`).join(''));
        const blocks = cut('lines', chunked(bytes, cuts));
        const expected = lines.map((line, at) => (at === 0 ? line.replace(/^\ufeff/, '') : line));
        expect(
          blocks.flatMap((block) =>
            textOf(block)
              .trimEnd()
              .split('\n')
              .filter(Boolean)
              .map((item): unknown => JSON.parse(item)),
          ),
        ).toEqual(expected);
      }),
    ));

  it('refuse the same line for the same reason however the upload is chunked', () =>
    fc.assert(
      fc.property(fc.nat(20), places, fc.constantFrom('{"a":}', 'nul', '1 2', '"\u0001"'), (before, cuts, bad) => {
        const bytes = bytesOf(`${'[]\n'.repeat(before)}${bad}\n7\n`);
        const fault = faultOf(() => cut('ndjson', chunked(bytes, cuts)));
        expect([fault.code, fault.details.line, fault.details.text]).toEqual(['INPUT_NOT_JSON', before + 1, bad]);
      }),
    ));
});
