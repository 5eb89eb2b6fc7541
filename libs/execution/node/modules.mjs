/** Modules of a script: ES modules linked in memory, CommonJS by Node's own loader; both know `das`, and TypeScript without its types. */
import { existsSync, readFileSync, statSync } from 'node:fs';
import Module, { createRequire } from 'node:module';
import { dirname, relative, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { SourceTextModule, compileFunction } from 'node:vm';
import { isTypeScript, needTypeScript, withoutTypes } from './typescript.mjs';

const looksLikeModule =
  /Cannot use import statement outside a module|Unexpected token 'export'|Cannot use 'import\.meta' outside a module|await is only valid/;
const endings = ['', '.ts', '.mts', '.cts', '.js', '.mjs', '.cjs', '.json', '/index.ts', '/index.js'];

/** {exported, tell}: what the script exports; `tell` changes a name of `das`. @throws what the script throws. */
export async function loadModules(head, tools) {
  // A bundle may hold TypeScript behind a script without any.
  if (isTypeScript(head.filename) || head.folder !== undefined) await needTypeScript(tools.channel);
  const loader = new Loader(head, tools);
  return {
    exported: await loader.start(head.filename, head.text),
    tell: (name, value) => loader.das.setExport(name, value),
  };
}

class Loader {
  #folder;
  #known = new Map();
  #tools;

  constructor({ folder }, tools) {
    this.#folder = folder ?? process.cwd();
    this.#tools = tools;
    this.das = tools.linking.synthetic('das', tools.das);
    this.#teachRequire();
  }

  async start(filename, text) {
    // Linked also when nobody imports it: its names change with every part.
    await this.das.link(() => undefined);
    await this.das.evaluate();
    const path = resolve(this.#folder, filename);
    const code = this.#plain(path, text);
    if (this.#isModule(path, code)) return (await this.#evaluated(this.#sourceModule(path, code))).namespace;
    // Top-level code that is asynchronous by itself may throw beside the import.
    return this.#tools.wait(Promise.resolve(this.#required(path, code)));
  }

  #shown(path) {
    const name = relative(this.#folder, path);
    return name.startsWith('..') ? path : name;
  }

  /** The text as JavaScript; remembered for stack traces. */
  #plain(path, text) {
    const name = this.#shown(path);
    const { code, map } = isTypeScript(path) ? withoutTypes(name, text) : { code: text };
    this.#tools.sources.add(name, text, map);
    return code;
  }

  /** As Node tells them apart: by the ending, else by what only a module may say. */
  #isModule(path, code) {
    if (/\.m[jt]s$/.test(path)) return true;
    if (/\.c[jt]s$/.test(path)) return false;
    try {
      compileFunction(code, wrapper, { filename: this.#shown(path) });
      return false;
    } catch (fault) {
      return looksLikeModule.test(String(fault?.message));
    }
  }

  #sourceModule(path, code) {
    const made = new SourceTextModule(code, {
      identifier: this.#shown(path),
      initializeImportMeta: (meta) =>
        Object.assign(meta, { url: pathToFileURL(path).href, filename: path, dirname: dirname(path) }),
      importModuleDynamically: async (specifier) => this.#evaluated(await this.#import(specifier, path)),
    });
    this.#known.set(path, made);
    return made;
  }

  async #evaluated(made) {
    if (made.status === 'unlinked') await made.link((specifier, from) => this.#import(specifier, this.#pathOf(from)));
    if (made.status === 'linked') await this.#tools.wait(made.evaluate());
    if (made.status === 'evaluating') await this.#tools.wait(made.evaluate());
    return made;
  }

  #pathOf({ identifier }) {
    return resolve(this.#folder, identifier);
  }

  /** The module behind a specifier, not yet run unless it is foreign. */
  async #import(specifier, from) {
    if (specifier === 'das') return this.das;
    if (this.#tools.linking.isBuiltin(specifier)) return this.#tools.linking.builtin(specifier);
    const path = this.#resolved(specifier, from);
    const known = this.#known.get(path);
    if (known !== undefined) return known;
    const made = await this.#made(path);
    this.#known.set(path, made);
    return made;
  }

  async #made(path) {
    const { synthetic } = this.#tools.linking;
    const require = createRequire(path);
    if (/\.(json|node)$/.test(path)) return synthetic(path, { default: require(path) });
    // Packages are Node's own affair.
    if (path.includes('/node_modules/'))
      return synthetic(path, spread(await this.#tools.linking.foreign(pathToFileURL(path).href)));
    const code = this.#plain(path, readFileSync(path, 'utf8'));
    return this.#isModule(path, code) ? this.#sourceModule(path, code) : synthetic(path, spread(require(path)));
  }

  /** A file beside, its ending left out or that of its JavaScript; else a package. @throws Node's error. */
  #resolved(specifier, from) {
    if (specifier.startsWith('file:')) return fileURLToPath(specifier);
    if (!/^(\.{0,2}\/|\.{1,2}$)/.test(specifier)) return createRequire(from).resolve(specifier);
    const path = resolve(dirname(from), specifier);
    const candidates = [...endings.map((ending) => path + ending), path.replace(/js$/, 'ts')];
    const file = candidates.find((candidate) => existsSync(candidate) && statSync(candidate).isFile());
    if (file !== undefined) return file;
    throw Object.assign(new Error(`Cannot find module '${specifier}' imported from ${this.#shown(from)}`), {
      code: 'ERR_MODULE_NOT_FOUND',
    });
  }

  /** CommonJS: the script itself is compiled from its text, what it requires is Node's affair but for `das` and types. */
  #required(path, code) {
    const made = new Module(path);
    made.filename = path;
    made.paths = Module._nodeModulePaths(dirname(path));
    const run = compileFunction(code, wrapper, {
      filename: this.#shown(path),
      importModuleDynamically: async (specifier) => this.#evaluated(await this.#import(specifier, path)),
    });
    run.call(made.exports, made.exports, createRequire(path), made, path, dirname(path));
    return made.exports;
  }

  #teachRequire() {
    const load = Module._load;
    Module._load = (request, ...more) => (request === 'das' ? this.#tools.das : load(request, ...more));
    for (const ending of ['.ts', '.cts'])
      Module._extensions[ending] = (made, path) => made._compile(this.#plain(path, readFileSync(path, 'utf8')), path);
  }
}

const wrapper = ['exports', 'require', 'module', '__filename', '__dirname'];

/** What is required, as the names of a module. */
function spread(value) {
  const members = typeof value === 'object' || typeof value === 'function' ? { ...value } : {};
  return { ...members, default: value?.default ?? value };
}
