import { Fault, limits } from '@das/contracts';
import { messageOf } from '@das/kernel';
import { type Block, BlockBuilder } from './block-builder.js';

export type InputFormat = 'ndjson' | 'lines';

/** More items than this are refused: item numbers stay far below what JSON and `bigint` hold safely. */
export const itemsMax = 1_000_000_000;
/** How much of a bad line an error shows. */
const shownChars = 200;
const newline = 0x0a;
const carriageReturn = 0x0d;
const byteOrderMark = [0xef, 0xbb, 0xbf];

/**
 * Cuts an upload, given in any pieces, into blocks. Pure: the same bytes give the same blocks, however they were chunked.
 * `ndjson`: each line must be one JSON value; blank lines are skipped. `lines`: each line is a string, empty ones too; a last line end makes no item.
 * Holds one unfinished line and one unfinished block, so its memory is bounded whatever the upload's length.
 */
export class BlockCutter {
  readonly #builder = new BlockBuilder();
  readonly #strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  readonly #encoder = new TextEncoder();
  #carry: Uint8Array[] = [];
  #carried = 0;
  #line = 0;

  constructor(private readonly format: InputFormat) {}

  /** Items seen so far. */
  get items(): number {
    return this.#builder.items;
  }

  /**
   * Takes the next bytes; gives the blocks they complete.
   * @throws Fault INPUT_NOT_JSON | INPUT_ITEM_TOO_LARGE | REQUEST_INVALID naming the line. Use the cutter no more.
   */
  push(chunk: Uint8Array): Block[] {
    const last = chunk.lastIndexOf(newline);
    if (last < 0) {
      this.#keep(chunk);
      return [];
    }
    const run = this.#withCarry(chunk.subarray(0, last + 1));
    this.#carry = [];
    this.#carried = 0;
    const blocks = this.#lines(run);
    this.#keep(chunk.subarray(last + 1));
    return blocks;
  }

  /** The upload is whole: the last line, if it has no line end, and the last block. */
  end(): Block[] {
    const rest = this.#withCarry(new Uint8Array(0));
    const blocks = rest.length > 0 ? this.#one(trimmed(rest, this.#line === 0), undefined) : [];
    return [...blocks, ...this.#builder.flush()];
  }

  #keep(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    // A copy: the caller's buffer may be a slice of a pool that is written again.
    this.#carry.push(bytes.slice());
    this.#carried += bytes.length;
    if (this.#carried > lineBytesMax) throw itemTooLarge(`line ${this.#line + 1} of the input`, this.#line + 1);
  }

  #withCarry(bytes: Uint8Array): Uint8Array {
    if (this.#carried === 0) return bytes;
    const joined = new Uint8Array(this.#carried + bytes.length);
    let at = 0;
    for (const piece of [...this.#carry, bytes]) {
      joined.set(piece, at);
      at += piece.length;
    }
    return joined;
  }

  #lines(run: Uint8Array): Block[] {
    const blocks: Block[] = [];
    const text = this.#ascii(run);
    for (let from = 0; from < run.length;) {
      const to = run.indexOf(newline, from);
      const line = trimmed(run.subarray(from, to), this.#line === 0);
      const start = line.byteOffset - run.byteOffset;
      for (const block of this.#one(line, text?.slice(start, start + line.length))) blocks.push(block);
      from = to + 1;
    }
    return blocks;
  }

  /** The text of a run in which each byte is a character: decoded once, not line by line. Others are judged line by line. */
  #ascii(run: Uint8Array): string | undefined {
    try {
      const text = this.#strict.decode(run);
      return text.length === run.length ? text : undefined;
    } catch {
      return undefined;
    }
  }

  /** One line without its end. */
  #one(line: Uint8Array, known: string | undefined): readonly Block[] {
    this.#line += 1;
    if (line.length > limits.itemBytesMax) throw itemTooLarge(`line ${this.#line} of the input`, this.#line);
    const text = known ?? this.#decode(line);
    if (this.format === 'ndjson' && text.trim() === '') return [];
    const item = this.format === 'lines' ? this.#encoder.encode(JSON.stringify(text)) : line;
    if (item.length > limits.itemBytesMax) throw itemTooLarge(`line ${this.#line} of the input`, this.#line);
    if (this.format === 'ndjson') checkJson(text, this.#line);
    if (this.#builder.items >= itemsMax) throw tooMany();
    return this.#builder.add(item);
  }

  #decode(line: Uint8Array): string {
    try {
      return this.#strict.decode(line);
    } catch {
      const shown = new TextDecoder().decode(line.subarray(0, shownChars));
      throw new Fault('INPUT_NOT_JSON', `line ${this.#line} of the input is not UTF-8`, {
        field: 'input',
        expected: 'text in UTF-8',
        line: this.#line,
        text: shown,
        hint: 'convert it, for example: iconv -f latin1 -t utf-8',
      });
    }
  }
}

/** The blocks that each piece of an upload completes, often none, and what is left at its end. @throws what {@link BlockCutter} does, and `upload`. */
export async function* cutUpload(
  format: InputFormat,
  upload: AsyncIterable<Uint8Array>,
): AsyncIterable<readonly Block[]> {
  const cutter = new BlockCutter(format);
  for await (const chunk of upload) yield cutter.push(chunk);
  yield cutter.end();
}

/** An item, its line end and a byte order mark: more than that can be no item. */
const lineBytesMax = limits.itemBytesMax + 16;

function trimmed(raw: Uint8Array, first: boolean): Uint8Array {
  const marked = first && byteOrderMark.every((byte, at) => raw[at] === byte);
  const from = marked ? byteOrderMark.length : 0;
  const to = raw.length > from && raw[raw.length - 1] === carriageReturn ? raw.length - 1 : raw.length;
  return to - from === raw.length ? raw : raw.subarray(from, to);
}

function checkJson(text: string, line: number): void {
  try {
    JSON.parse(text);
  } catch (error) {
    const column = columnOf(messageOf(error), text);
    const where = column === undefined ? `line ${line}` : `line ${line}, column ${column}`;
    throw new Fault('INPUT_NOT_JSON', `${where} of the input is not JSON: ${text.slice(0, shownChars)}`, {
      field: 'input',
      expected: 'one JSON value per line',
      line,
      text: text.slice(0, shownChars),
      hint: 'send plain text with the format "lines" (das run --format lines)',
    });
  }
}

/** V8 tells a position for some errors only. */
function columnOf(message: string, text: string): number | undefined {
  const position = /at position (\d+)/.exec(message)?.[1];
  if (position !== undefined) return Number(position) + 1;
  return message.startsWith('Unexpected end') ? text.length + 1 : undefined;
}

/** An item that no message could carry; `what` names it. */
export function itemTooLarge(what: string, line?: number): Fault {
  return new Fault('INPUT_ITEM_TOO_LARGE', `${what} is larger than ${limits.itemBytesMax} bytes`, {
    field: 'input',
    expected: `items of at most ${limits.itemBytesMax} bytes as JSON`,
    line,
    hint: 'put the data where every node can read it and send its address as the item',
  });
}

function tooMany(): Fault {
  return new Fault('REQUEST_INVALID', `the input has more than ${itemsMax} items`, {
    field: 'input',
    expected: `at most ${itemsMax} items`,
    hint: 'let an item stand for a group',
  });
}
