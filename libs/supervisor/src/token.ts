import { chmod, readFile, writeFile } from 'node:fs/promises';
import { newId } from '@das/platform/basics';
import { tokenFile } from './cluster-state.js';

const tokenPattern = /^[A-Za-z0-9_-]{16,200}$/;

/** @throws Error in words when a token could not be one of ours; nothing is changed. */
export function checkToken(token: string): string {
  if (!tokenPattern.test(token)) throw new Error('a token has 16 to 200 characters of A-Z a-z 0-9 _ -');
  return token;
}

/**
 * The cluster's token, kept in `<home>/token` (0600): the given one, else the one of the last start, else a new one of 264 random bits.
 * @throws Error in words when the given one is not usable.
 */
export async function ensureToken(home: string, given: string | undefined): Promise<string> {
  const file = tokenFile(home);
  const stored = (await readFile(file, 'utf8').catch(() => '')).trim();
  const token = given !== undefined ? checkToken(given) : tokenPattern.test(stored) ? stored : `${newId()}${newId()}`;
  if (token !== stored) await writeFile(file, `${token}\n`, { mode: 0o600 });
  // A file that existed keeps its mode when it is written.
  await chmod(file, 0o600);
  return token;
}
