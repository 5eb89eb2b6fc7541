import { stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { venvSchema } from '@das/contracts';
import { UsageError } from '../core/parse.js';

const field = '--venv';

/**
 * The virtual environment of `--venv` as an absolute path, which must be the same on the nodes. One that is not here may be there; one that is here must be
 * one. @throws UsageError.
 */
export async function venvOf(given: string, cwd: string): Promise<string> {
  const path = resolve(cwd, given);
  const fault = venvSchema.safeParse(path).error?.issues[0]?.message;
  if (fault !== undefined)
    throw new UsageError(`${JSON.stringify(given)} cannot be a virtual environment: ${fault}`, { field });
  if (await mayBeOne(path)) return path;
  throw new UsageError(`${given} is no virtual environment: it has no pyvenv.cfg`, {
    field,
    expected: 'a folder that `python3 -m venv` made',
  });
}

/** What this account may not see the nodes may. */
async function mayBeOne(path: string): Promise<boolean> {
  const there = await stat(path).catch(() => undefined);
  if (there === undefined) return true;
  return stat(join(path, 'pyvenv.cfg')).then(
    (facts) => facts.isFile(),
    ({ code }: NodeJS.ErrnoException) => there.isDirectory() && code !== 'ENOENT',
  );
}
