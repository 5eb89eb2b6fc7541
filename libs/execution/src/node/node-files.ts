import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** This module lies two folders below its package, in `src` as in `dist`. */
const folder = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'node');

/** The worker's modules; the first one is where it starts. */
const modules = [
  'main',
  'channel',
  'encode',
  'failures',
  'functions',
  'inspecting',
  'keys',
  'lease',
  'locks',
  'mapping',
  'modules',
  'pairs',
  'prints',
  'script',
  'sources',
  'splitting',
  'spool',
  'state',
  'steps',
  'typescript',
  'wasm',
  'wasm-run',
] as const;

const read = (name: string): string => readFileSync(join(folder, name), 'utf8');

/** What a worker is told first: its modules, sent to it because its account may not reach this folder. */
export const nodeStart = (): { entry: string; modules: ReadonlyArray<readonly [name: string, text: string]> } => ({
  entry: modules[0],
  modules: modules.map((name) => [name, read(`${name}.mjs`)]),
});

export const nodeBootstrap = (): string => read('bootstrap.cjs');

/** Libraries that a worker asks for when it first needs them: most never do. */
const tools: ReadonlyMap<string, string> = new Map([
  ['acorn', 'acorn'],
  ['typescript', '@swc/wasm-typescript'],
]);
const texts = new Map<string, Buffer>();

/** The text of such a library, kept in memory once read; undefined for one that no worker of ours asks for. */
export function nodeTool(name: string): Buffer | undefined {
  const library = tools.get(name);
  if (library === undefined) return undefined;
  const text = texts.get(name) ?? readFileSync(createRequire(import.meta.url).resolve(library));
  texts.set(name, text);
  return text;
}
