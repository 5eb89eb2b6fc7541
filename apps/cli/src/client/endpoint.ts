import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readState } from '@das/supervisor';
import { UsageError } from '../core/parse.js';
import type { World } from '../world.js';

/** Options that every command takes. */
export interface GlobalOptions {
  readonly home?: string;
  readonly url?: string;
  readonly json?: boolean;
}

/** Where a cluster is, and what it asks for. */
export interface Endpoint {
  readonly urls: readonly string[];
  readonly token: string | undefined;
}

const installation = resolve(fileURLToPath(new URL('.', import.meta.url)), '../../../..');

/** `--home`, `DAS_HOME`, `./.das` if it is there, else the one of this installation. */
export function homeOf(options: GlobalOptions, { env, cwd }: Pick<World, 'env' | 'cwd'>): string {
  const given = options.home ?? env['DAS_HOME'];
  if (given !== undefined && given !== '') return resolve(cwd, given);
  const here = join(cwd, '.das');
  return existsSync(here) ? here : join(installation, '.das');
}

/** A list of base URLs, commas between. @throws UsageError. */
export function parseUrls(text: string): string[] {
  const urls = text.split(',').map((url) => url.trim().replace(/\/+$/, ''));
  for (const url of urls) {
    if (!/^https?:\/\/[^\s/]+/.test(url))
      throw new UsageError(`${JSON.stringify(url)} is not the URL of a node`, {
        field: 'DAS_URL',
        expected: 'http://host:port, or several with commas between',
      });
  }
  return urls;
}

/** `--url`, `DAS_URL`, else the cluster that runs in the home; its token likewise. @throws UsageError. */
export async function endpointOf(options: GlobalOptions, world: Pick<World, 'env' | 'cwd'>): Promise<Endpoint> {
  const home = homeOf(options, world);
  const given = options.url ?? world.env['DAS_URL'];
  const token = tokenOf(home, world.env);
  if (given !== undefined && given !== '') return { urls: parseUrls(given), token };
  const state = await readState(home);
  return { urls: state?.nodes.flatMap((node) => node.rest ?? []) ?? [], token };
}

/** `DAS_TOKEN`, the file `DAS_TOKEN_FILE` names, else `<home>/token`. @throws UsageError for a named file that cannot be read. */
export function tokenOf(home: string, env: World['env']): string | undefined {
  if (env['DAS_TOKEN']) return env['DAS_TOKEN'];
  const named = env['DAS_TOKEN_FILE'];
  try {
    return readFileSync(named || join(home, 'token'), 'utf8').trim() || undefined;
  } catch {
    if (named) throw new UsageError(`the token file ${named} cannot be read`, { field: 'DAS_TOKEN_FILE' });
    return undefined;
  }
}
