/** A WASI command module as a filter: items as lines on its stdin, one result per item as a line on its stdout, in order. */
import { WASI } from 'node:wasi';
import { mkdirSync, realpathSync } from 'node:fs';
import { newline } from './encode.mjs';
import { definedAmong } from './functions.mjs';
import { messageChars } from './failures.mjs';
import { Full } from './mapping.mjs';
import { WasmRun } from './wasm-run.mjs';

const magic = '\0asm';
const wasi = 'wasi_snapshot_preview1';
const scratch = 'scratch';
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
    return { fault: { line: 1, column: 1, text: '', message: String(fault.message).slice(0, messageChars) } };
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
    const run = new WasmRun(this.channel, this.state, head, items);
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
