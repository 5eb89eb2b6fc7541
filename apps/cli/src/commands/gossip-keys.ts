import type { KeysView } from '@das/contracts';
import { randomKey } from '@das/platform/basics';
import type { GlobalOptions } from '../client/endpoint.js';
import type { Context } from '../context.js';
import { table } from '../core/human.js';
import { UsageError } from '../core/parse.js';
import { ExitError, exitCodes } from '../errors.js';

/** What `das up` makes as well. */
const keyBytes = 32;
/** Far more than a key has. */
const keyCharsMax = 1_000;
const path = '/v1/gossip/keys';

/** `--foreign-changed`: the keys of members that are none of our nodes were changed by their own means. */
export interface KeyOptions extends GlobalOptions {
  readonly foreignChanged?: boolean;
}

/** `das gossip keys list`: which node has which keys. */
export async function listKeys(context: Context): Promise<void> {
  await tell(context, await (await context.client()).get<KeysView>(path));
}

/** `das gossip keys generate`: a new key on standard output; nothing is changed. */
export async function generateKey(context: Context): Promise<void> {
  const key = Buffer.from(randomKey(keyBytes)).toString('base64');
  await context.print({ key }, key);
}

/** `das gossip keys install|use|remove KEY`: one step of a rotation on every member. Exit code 1 when a node did not do it; it is named. */
export const changeKeys =
  (action: 'install' | 'use' | 'remove') =>
  async (context: Context<KeyOptions>, given: string): Promise<void> => {
    const key = given === '-' ? await readKey(context) : given;
    const foreign = context.options.foreignChanged === true ? { foreign: 'changed' } : {};
    // Asking twice does no harm: a step that was done is done.
    await tell(context, await (await context.client()).post<KeysView>(path, { action, key, ...foreign }));
  };

/** A key on the command line is in the list of processes while the command runs; on standard input it is not. */
async function readKey({ world }: Context): Promise<string> {
  let read = '';
  for await (const chunk of world.stdin) {
    read += String(chunk);
    if (read.length > keyCharsMax) break;
  }
  const [key] = read.trim().split(/\s+/);
  if (key === undefined || key === '')
    throw new UsageError('there is no key on standard input', { field: 'KEY', expected: 'one line of base64' });
  return key;
}

async function tell(context: Context, view: KeysView): Promise<void> {
  const rows = view.nodes.map(({ node, outcome, reason, keys }) => [
    node,
    outcome,
    keys.map(({ fingerprint, primary, bytes }) => `${fingerprint}${primary ? ' *' : ''} (AES-${bytes * 8})`).join(', '),
    reason ?? '',
  ]);
  await context.print(view, table(['NODE', 'OUTCOME', 'KEYS (* encrypts)', 'REASON'], rows));
  if (view.complete) return;
  const missing = view.nodes.filter(({ outcome }) => outcome !== 'done' && outcome !== 'unchanged');
  context.world.err(`not on every node: ${missing.map(({ node, outcome }) => `${node} (${outcome})`).join(', ')}`);
  throw new ExitError(exitCodes.failed);
}
