import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** This module lies two folders below its package, in `src` as in `dist`. */
const folder = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'python');

/** The worker's modules in the order in which they import each other. */
const modules = [
  'native',
  'channel',
  'encode',
  'keys',
  'failures',
  'limits',
  'seccomp_calls',
  'seccomp',
  'landlock',
  'shut_in',
  'lease',
  'inspecting',
  'locks',
  'script',
  'pairs',
  'mapping',
  'spool',
  'steps',
  'splitting',
  'program',
  'piping',
  'items',
  'batches',
  'command',
  'state',
  'main',
  'birth',
  'cell',
  'keeper',
];

const read = (name: string): string => readFileSync(join(folder, name), 'utf8');

/** A worker's module: its name, and its text, or its marshalled code in base64. */
export type WorkerModule = readonly [name: string, code: string];

/** A worker's modules for any interpreter, which compiles them itself. */
export const workerTexts = (): readonly WorkerModule[] =>
  modules.map((name) => [name, read(join('das_worker', `${name}.py`))]);

/**
 * A worker's modules, compiled by the interpreter that runs them; sent to workers because their account may not reach this folder.
 * @throws Error when the interpreter cannot compile them.
 */
export function workerModules(interpreter: string): readonly WorkerModule[] {
  const options = {
    input: JSON.stringify(workerTexts()),
    encoding: 'utf8',
    maxBuffer: compiledBytesMax,
    timeout: compileMs,
  } as const;
  const { status, stdout, stderr } = spawnSync(interpreter, ['-I', '-S', '-c', read('compiler.py')], options);
  if (status !== 0) throw new Error(`${interpreter} cannot compile the worker: ${stderr.trim().slice(-500)}`);
  return JSON.parse(stdout) as WorkerModule[];
}
const compiledBytesMax = 16 * 1024 * 1024;
const compileMs = 30_000;

const installText = (): string => read('install.py');
export const bootstrapText = (): string => `${installText()}${read('bootstrap.py')}`;
/** For an interpreter that nobody has tried. */
export const untriedBootstrapText = (): string => `${read('version.py')}${bootstrapText()}`;
export const nurseryText = (): string => `${installText()}${read('das_nursery.py')}`;
/** The warden runs as the executor's own account, which can read it. */
export const wardenPath = join(folder, 'das_warden.py');

/** What {@link shutInText} needs of the worker's modules. */
const shutInModules = ['native', 'failures', 'limits', 'seccomp_calls', 'seccomp', 'landlock', 'shut_in'];
/** A program that shuts itself in and becomes another; whole, because its account may not reach this folder. */
export function shutInText(): string {
  const texts = Object.fromEntries(workerTexts().filter(([name]) => shutInModules.includes(name)));
  return `${installText()}texts = ${JSON.stringify(texts)}\n${read('shut_in_program.py')}`;
}
