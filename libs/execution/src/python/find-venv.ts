import { dirname, join } from 'node:path';
import type { NodeUnfitError } from '../ports/errors.js';
import { type Seen, seenAt } from './seen-path.js';
import { readVenvConfig } from './venv-config.js';
import { closed, notThere, unfit } from './venv-unfit.js';

/** A virtual environment as scripts of this node see it. */
export interface Venv {
  readonly folder: string;
  readonly interpreter: string;
  /** Another when it was made anew. */
  readonly key: string;
}

/** What `python3 -m venv` makes, the first choice first. */
const interpreters = ['bin/python3', 'bin/python'];

/**
 * The virtual environment in a folder that a user named, looked at and not run. Nothing is told of folders that scripts may not read.
 * `readable`: what scripts may read here; undefined: whatever their account may.
 * @throws NodeUnfitError with what is wrong, and who can change it; NotStartedError for what may pass.
 */
export async function findVenv(folder: string, readable: readonly string[] | undefined): Promise<Venv> {
  const at = shown(
    await seenAt(folder, readable),
    notThere(folder),
    closed(`the virtual environment ${folder}`, folder),
  );
  const { home, edition } = await readVenvConfig(folder, readable);
  const interpreter = await interpreterOf(folder, at, home, readable);
  base(folder, home, await seenAt(home, readable), home);
  return { folder: at, interpreter: interpreter.path, key: JSON.stringify([at, interpreter.real, ...edition]) };
}

/** It keeps the name that it has in the environment: by that it finds its packages. */
async function interpreterOf(
  folder: string,
  at: string,
  home: string,
  readable: readonly string[] | undefined,
): Promise<{ readonly path: string; readonly real: string }> {
  const [name = ''] = interpreters;
  let first: Seen | undefined;
  for (const each of interpreters) {
    const seen = await seenAt(join(folder, each), readable);
    if (seen.kind === 'shown') return { path: join(at, each), real: seen.path };
    first ??= seen;
  }
  return { path: join(at, name), real: base(folder, join(folder, name), first, home) };
}

/** The installation behind an environment; `home`: where its programs are, as the environment says. */
function base(folder: string, given: string, seen: Seen | undefined, home: string): string {
  const path = seen?.path ?? given;
  const hint = 'install that Python, or make the environment anew with one of the node (python3 -m venv --clear)';
  const missing = unfit(`the Python that ${folder} is made of is not there: ${path}`, hint);
  const what = `the Python that the virtual environment ${folder} is made of`;
  return shown(seen ?? { kind: 'missing', path }, missing, closed(what, dirname(home)));
}

function shown(seen: Seen, missing: NodeUnfitError, refused: NodeUnfitError): string {
  if (seen.kind === 'shown') return seen.path;
  throw seen.kind === 'missing' ? missing : refused;
}
