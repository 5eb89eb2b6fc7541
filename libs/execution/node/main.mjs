/** The worker's life: it waits for a script, then runs parts of that script's job until the executor ends it. */
import { Channel, Closed } from './channel.mjs';
import { describe } from './failures.mjs';
import { inspectScript } from './inspecting.mjs';
import { endGroup } from './lease.mjs';
import { Locks } from './locks.mjs';
import { Full, Mapper } from './mapping.mjs';
import { replacePrints } from './prints.mjs';
import { Missing, Script } from './script.mjs';
import { Sources } from './sources.mjs';
import { Differs, split } from './splitting.mjs';
import { State } from './state.mjs';
import { gather, hook, hookName, mainStep, reduceBucket, stepFailure } from './steps.mjs';
import { WasmProgram } from './wasm.mjs';

const importHint = ({ node, filename, folder }) =>
  `this ran on ${node} (Node.js ${process.versions.node}); ${
    folder === undefined
      ? `only ${filename} travels: give your own modules by --include, or run the whole folder`
      : 'only the files of the bundle travel: look into .dasignore for your own modules'
  }`;

class NodeWorker {
  #sources = new Sources();
  #script;
  #program;

  constructor(channel, state, linking) {
    this.channel = channel;
    this.state = state;
    this.linking = linking;
  }

  async serve() {
    for (;;) {
      const { kind, payload } = await this.channel.read();
      if (kind === 'I') this.channel.sendJson('I', await inspectScript(this.channel, JSON.parse(payload)));
      else if (kind === 'L') this.channel.sendJson('L', { failure: await this.#load(JSON.parse(payload)) });
      else if (kind === 'B') this.channel.sendJson('X', await this.#run(JSON.parse(payload)));
      // Data of a part that was given back may still arrive: it belongs to nobody.
    }
  }

  async #load(head) {
    try {
      if (head.language === 'wasm') {
        this.#program = await WasmProgram.load(head, this.channel, this.state);
        return null;
      }
      this.#script = new Script(head, this.state, this.#sources);
      await this.#script.load(head, { channel: this.channel, linking: this.linking });
      return null;
    } catch (thrown) {
      if (thrown instanceof Closed) throw thrown;
      const failure = describe(thrown, this.#sources);
      const missing = /MODULE_NOT_FOUND|ERR_PACKAGE/.test(thrown?.code);
      const hint = missing ? { hint: importHint(head) } : {};
      return { ...failure, ...hint, message: `the script cannot be imported: ${failure.message}` };
    }
  }

  async #run(head) {
    this.state.at(head.from);
    if (this.#program !== undefined) {
      const done = await this.#program.run(head);
      this.state.at(head.to);
      return done;
    }
    this.#script.begin(head);
    this.state.locks.begin();
    const done = head.kind === 'map' ? await this.#map(head) : await this.#step(head);
    this.state.locks.end();
    this.state.at(head.to);
    return done;
  }

  async #map(head) {
    try {
      const mapper = new Mapper(this.channel, this.#script, this.state, head);
      if (head.base !== undefined) await mapper.runRange(head.base);
      while (mapper.at < mapper.to) {
        const { kind, payload } = await this.channel.read();
        if (kind === 'D') await mapper.runBlock(payload.readUInt32LE(0), payload.subarray(4));
      }
      await mapper.flush();
    } catch (thrown) {
      if (thrown instanceof Missing) return { fatal: { message: thrown.message } };
      if (!(thrown instanceof Full)) throw thrown;
    }
    return {};
  }

  async #step(head) {
    const { channel, state } = this;
    const script = this.#script;
    const steps = {
      split: () => split(channel, script, state),
      reduce: () => reduceBucket(channel, script, state),
      gather: () => gather(channel, script, head),
      hook: () => hook(channel, script, state, head),
      main: () => mainStep(channel, script),
    };
    try {
      return { items: await steps[head.kind]() };
    } catch (thrown) {
      if (thrown instanceof Closed) throw thrown;
      if (thrown instanceof Differs) return { differs: thrown.message };
      return { failure: stepFailure(head.kind === 'hook' ? hookName(head) : head.kind, thrown, this.#sources) };
    }
  }
}

/** Entry: the executor's first frame, and how modules are linked here. */
export async function start(_head, linking) {
  replacePrints();
  const state = new State();
  process.on('SIGTERM', () => state.cancel());
  const channel = new Channel();
  state.locks = new Locks(channel);
  channel.sendJson('R', { pid: process.pid, node: process.versions.node });
  try {
    await new NodeWorker(channel, state, linking).serve();
  } catch (thrown) {
    if (thrown instanceof Closed) endGroup();
    process.stderr.write(`${thrown?.stack ?? thrown}\n`);
    process.reallyExit(70);
  }
}
