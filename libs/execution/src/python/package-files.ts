import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** This module lies two folders below its package, in `src` as in `dist`. */
const folder = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'python');

/** The worker's modules in the order in which they import each other. */
const modules = [
  'channel',
  'encode',
  'keys',
  'failures',
  'limits',
  'inspecting',
  'script',
  'pairs',
  'mapping',
  'spool',
  'steps',
  'splitting',
  'state',
  'main',
];

const read = (name: string): string => readFileSync(join(folder, name), 'utf8');

/** Text of a worker's modules, as they are sent to it: its account may not reach this folder. */
export const workerModules = (): Array<[name: string, text: string]> =>
  modules.map((name) => [name, read(join('das_worker', `${name}.py`))]);
export const bootstrapText = (): string => read('bootstrap.py');
/** The warden runs as the executor's own account, which can read it. */
export const wardenPath = join(folder, 'das_warden.py');
