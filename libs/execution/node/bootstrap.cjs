// Run by `node -e`: takes the worker's modules over file descriptor 3, because the account that scripts run under may not be able to
// reach the folder that they are kept in. They are linked here, in memory, under names that no file has: das:…
'use strict';
const { readSync } = require('node:fs');
const { Module, builtinModules } = require('node:module');
const { SourceTextModule, SyntheticModule } = require('node:vm');

const load = require;
const globals = ['console', 'process', 'crypto'];

function take(size) {
  const taken = Buffer.alloc(size);
  for (let at = 0; at < size;) {
    const read = readSync(3, taken, at, size - at);
    if (read === 0) process.reallyExit(70);
    at += read;
  }
  return taken;
}

/** What `-e` adds to the globals would make scripts work here that work nowhere else. */
function tidyGlobals() {
  for (const name of builtinModules) if (!globals.includes(name)) delete globalThis[name];
  for (const name of ['require', 'module', 'exports', '__filename', '__dirname']) delete globalThis[name];
}

/** A module of the given names; `default` is all of it. */
function synthetic(identifier, value) {
  const names = [...new Set(['default', ...Object.keys(value)])];
  return new SyntheticModule(
    names,
    function fill() {
      for (const name of names) this.setExport(name, name === 'default' ? (value.default ?? value) : value[name]);
    },
    { identifier },
  );
}

async function main() {
  const head = JSON.parse(take(take(5).readUInt32LE(0)));
  const modules = new Map();
  for (const [name, text] of head.modules) modules.set(name, new SourceTextModule(text, { identifier: `das:${name}` }));
  const builtins = new Map();
  const builtin = (specifier) => {
    const known = builtins.get(specifier) ?? synthetic(specifier, load(specifier));
    builtins.set(specifier, known);
    return known;
  };
  const linker = (specifier) => modules.get(specifier.slice(2, -4)) ?? builtin(specifier);
  const { entry } = head;
  const first = modules.get(entry);
  await first.link(linker);
  await first.evaluate();
  tidyGlobals();
  process.argv.length = 1;
  await first.namespace.start(head, { builtin, synthetic, foreign: (url) => import(url), isBuiltin: Module.isBuiltin });
}

main().catch((fault) => {
  require('node:fs').writeSync(2, `${fault?.stack ?? fault}\n`);
  process.reallyExit(70);
});
