import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readState } from '@das/supervisor';
import { UsageError } from '../core/parse.js';
import type { Home } from '../errors.js';
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
  /** What gave the token, for people. */
  readonly tokenFrom?: string | undefined;
  /** Where the addresses are from, if nobody gave any. */
  readonly home?: Home | undefined;
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
  const key = { token: tokenOf(home, world.env), tokenFrom: tokenSource(home, world.env) };
  if (given !== undefined && given !== '') return { urls: parseUrls(given), ...key };
  const urls = (await readState(home))?.nodes.flatMap((node) => node.rest ?? []) ?? [];
  const named = Boolean(options.home ?? world.env['DAS_HOME']);
  return { urls, ...key, home: { path: home, named } };
}

const tokenFileOf = (home: string, env: World['env']): string => env['DAS_TOKEN_FILE'] || join(home, 'token');

function tokenSource(home: string, env: World['env']): string {
  return env['DAS_TOKEN'] ? 'DAS_TOKEN' : tokenFileOf(home, env);
}

/** `DAS_TOKEN`, the file `DAS_TOKEN_FILE` names, else `<home>/token`. @throws UsageError for a named file that cannot be read. */
export function tokenOf(home: string, env: World['env']): string | undefined {
  if (env['DAS_TOKEN']) return env['DAS_TOKEN'];
  const file = tokenFileOf(home, env);
  try {
    return readFileSync(file, 'utf8').trim() || undefined;
  } catch {
    if (env['DAS_TOKEN_FILE'])
      throw new UsageError(`the token file ${file} cannot be read`, { field: 'DAS_TOKEN_FILE' });
    return undefined;
  }
}
