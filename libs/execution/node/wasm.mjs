/** A WASI command module as a filter: items as lines on its stdin, one result per item as a line on its stdout, in order. */
import { WASI } from 'node:wasi';
import { mkdirSync, realpathSync } from 'node:fs';
import { Closed } from './channel.mjs';
import { newline, resultBytesMax } from './encode.mjs';
import { describe } from './failures.mjs';
import { definedAmong } from './functions.mjs';
import { Full, Outcomes, flushChars } from './mapping.mjs';
import { Sources } from './sources.mjs';

const magic = '\0asm';
const wasi = 'wasi_snapshot_preview1';
const scratch = 'scratch';
const stderrChars = 1_500;
const success = 0;
const badf = 8;

/** What a module that maps lines has not got, in the words of every refusal. */
const mapsOnly = (what) =>
  `a WebAssembly module maps lines of stdin to lines of stdout; it has no ${what} (write the steps around it in Python or JavaScript)`;

/** Compiles; runs nothing. */
export async function inspectWasm(base64) {
  try {
    checked(await WebAssembly.compile(bytesOf(base64)));
    return { functions: definedAmong(new Set(['map'])) };
  } catch (fault) {
    return { fault: { line: 1, column: 1, text: '', message: String(fault.message) } };
  }
}

function bytesOf(base64) {
  const bytes = Buffer.from(base64, 'base64');
  if (bytes.toString('latin1', 0, 4) !== magic)
    throw new TypeError('this is not a WebAssembly module (its first bytes are not \\0asm)');
  return bytes;
}

function checked(module) {
  const exported = WebAssembly.Module.exports(module).map(({ name }) => name);
  const foreign = WebAssembly.Module.imports(module).find(({ module: from }) => from !== wasi);
  if (foreign)
    throw new TypeError(
      `the module imports ${foreign.module}.${foreign.name}; only WASI preview 1 (${wasi}) is offered`,
    );
  if (!exported.includes('_start') || !exported.includes('memory'))
    throw new TypeError(
      'the module is no WASI command: it must export _start and memory (build it as a program, for wasm32-wasi)',
    );
  return module;
}

/** WASI opens a folder by its whole path, which the account of scripts cannot walk everywhere: then there is none. */
function scratchFolder() {
  try {
    mkdirSync(scratch, { recursive: true });
    return { '/scratch': realpathSync(scratch) };
  } catch {
    return {};
  }
}

/** Ends a run of the module from inside one of its calls. */
class Stop extends Error {}

export class WasmProgram {
  static async load(head, channel, state) {
    return new WasmProgram(checked(await WebAssembly.compile(bytesOf(head.text))), head, channel, state);
  }

  constructor(module, head, channel, state) {
    Object.assign(this, { module, head, channel, state });
  }

  async run(head) {
    if (head.kind !== 'map') return { failure: { message: mapsOnly(head.kind === 'hook' ? 'hooks' : head.kind) } };
    if (head.buckets) return { fatal: { message: mapsOnly('reduce') } };
    const items = head.base === undefined ? await this.#items(head.to - head.from) : numbers(head);
    const run = new Run(this.channel, this.state, head, items);
    try {
      while (run.at < head.to) run.attempt(this.#instance(run, head));
      run.flush();
    } catch (thrown) {
      if (!(thrown instanceof Full)) throw thrown;
    }
    return {};
  }

  /** All of the part: the module reads when it wants to, and nothing else goes on meanwhile. A part is bounded by bytes. */
  async #items(count) {
    const lines = [];
    while (lines.length < count) {
      const { kind, payload } = await this.channel.read();
      if (kind !== 'D') continue;
      for (let from = 4; from < payload.length;) {
        const end = payload.indexOf(newline, from) + 1 || payload.length;
        lines.push(payload.subarray(from, end));
        from = end;
      }
    }
    return lines;
  }

  #instance(run, head) {
    const { filename, params, job, node } = this.head;
    const args = Object.entries(params).map(
      ([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
    );
    const host = new WASI({
      version: 'preview1',
      args: [filename, ...args],
      env: {
        DAS_PARAMS: JSON.stringify(params),
        DAS_JOB: job,
        DAS_NODE: node,
        DAS_PART: head.part,
        DAS_ATTEMPT: String(head.attempt),
      },
      preopens: scratchFolder(),
      returnOnExit: true,
    });
    const imports = { ...host.wasiImport };
    const memory = () => new DataView(instance.exports.memory.buffer);
    imports.fd_read = streams(memory, host.wasiImport.fd_read, { 0: (into) => run.read(into) });
    imports.fd_write = streams(memory, host.wasiImport.fd_write, {
      1: (from) => run.write(from),
      2: (from) => run.complain(from),
    });
    const instance = new WebAssembly.Instance(this.module, { [wasi]: imports });
    return () => host.start(instance);
  }
}

/** The call of WASI for the descriptors that are ours; the host's for all others. */
function streams(memory, host, ours) {
  return (fd, vectors, count, done) => {
    const act = ours[fd];
    if (act === undefined) return fd === 0 || fd === 1 || fd === 2 ? badf : host(fd, vectors, count, done);
    const view = memory();
    let moved = 0;
    for (let i = 0; i < count; i += 1) {
      const at = view.getUint32(vectors + 8 * i, true);
      const length = view.getUint32(vectors + 8 * i + 4, true);
      const part = act(Buffer.from(view.buffer, at, length));
      moved += part;
      if (part < length) break;
    }
    view.setUint32(done, moved, true);
    return success;
  };
}

const numbers = ({ base, from, to }) => ({
  length: to - from,
  at: (i) => Buffer.from(`${base + from + i}\n`),
});

/** One part: as many runs of the module as it needs, one unless an item makes it stop. */
class Run {
  #waiting = [];
  #size = 0;
  #line = [];
  #lineBytes = 0;
  #complaint = '';
  #surplus = false;
  #next = 0;
  #offset = 0;

  constructor(channel, state, { from, to }, items) {
    Object.assign(this, { channel, state, from, to, items });
    this.at = from;
    this.outcomes = new Outcomes(channel, new Sources(), from);
  }

  /** Runs until the module ends; the item at which it stopped before the last one has failed. */
  attempt(start) {
    this.#next = this.at - this.from;
    this.#offset = 0;
    this.#line = [];
    this.#lineBytes = 0;
    this.#complaint = '';
    const why = this.#ending(start);
    if (why === undefined && this.#lineBytes > 0) this.write(Buffer.from('\n'));
    if (this.#surplus || (why !== undefined && this.at >= this.to)) return this.#takeBack(why);
    if (this.at < this.to)
      this.#fail(
        why ?? { message: `the module ended after ${this.at - this.from} results of ${this.to - this.from} items` },
      );
  }

  #ending(start) {
    try {
      const code = start();
      return code === 0 ? undefined : { message: `the module ended with exit code ${code}${this.#said()}` };
    } catch (thrown) {
      if (thrown instanceof Closed || thrown instanceof Full) throw thrown;
      if (thrown instanceof Stop) return { message: thrown.message };
      const { message } = describe(thrown, new Sources());
      return { message: `${message}${this.#said()}` };
    }
  }

  #said() {
    const text = this.#complaint.trim();
    return text === '' ? '' : `: ${text}`;
  }

  /** The last result waits until the module has ended well: what it says after it makes that one fail. */
  #takeBack(why) {
    this.#waiting.pop();
    this.at -= 1;
    const surplus = { message: `the module gave more than one result per item (${this.to - this.from} items)` };
    this.#fail(this.#surplus ? surplus : why);
  }

  #fail(failure) {
    this.flush();
    this.at += 1;
    const item = this.items.at(this.at - 1 - this.from);
    this.outcomes.failure(failure, item.toString('utf8', 0, 1000).trimEnd());
  }

  read(into) {
    if (this.#next >= this.items.length) return 0;
    const item = this.items.at(this.#next);
    const copied = item.copy(into, 0, this.#offset);
    this.#offset += copied;
    if (this.#offset === item.length) {
      this.#next += 1;
      this.#offset = 0;
    }
    return copied;
  }

  /** @throws Stop for what cannot be a result, which ends the run. */
  write(from) {
    for (let at = 0; at < from.length;) {
      const end = from.indexOf(newline, at);
      this.#hold(from.subarray(at, end < 0 ? undefined : end));
      if (end < 0) break;
      this.#lineEnds();
      at = end + 1;
    }
    return from.length;
  }

  #hold(piece) {
    this.#lineBytes += piece.length;
    if (this.#lineBytes > resultBytesMax) throw new Stop(`the result has more than ${resultBytesMax} bytes`);
    // The module's memory is its own: it changes.
    this.#line.push(Buffer.from(piece));
  }

  #lineEnds() {
    const line = Buffer.concat([...this.#line, Buffer.from('\n')]);
    this.#line = [];
    this.#lineBytes = 0;
    if (this.at >= this.to) {
      this.#surplus = true;
      throw new Stop('too many results');
    }
    const fault = notJson(line);
    if (fault !== undefined) throw new Stop(`the result is not JSON: ${fault}`);
    if (this.#size >= flushChars) this.flush();
    this.#waiting.push(line);
    this.#size += line.length;
    this.at += 1;
    this.state.at(this.at);
  }

  complain(from) {
    process.stderr.write(Buffer.from(from));
    this.#complaint = (this.#complaint + from.toString()).slice(-stderrChars);
    return from.length;
  }

  flush() {
    if (this.#waiting.length === 0) return;
    const body = Buffer.concat(this.#waiting);
    this.outcomes.results(this.#waiting.length, body);
    this.#waiting = [];
    this.#size = 0;
  }
}

function notJson(line) {
  try {
    JSON.parse(line.toString());
    return undefined;
  } catch (fault) {
    return fault.message;
  }
}
