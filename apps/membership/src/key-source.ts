import { scrypt } from 'node:crypto';
import { promisify } from 'node:util';
import { bootstrapGossip } from '@das/contracts';
import { type ServiceContext, StartError, loadCommonConfig, loadTokens } from '@das/platform';
import type { MembershipConfig } from './config.js';
import { membershipLimits } from './limits.js';
import { isKeyText, keyText } from './key-text.js';
import type { KeyringFile } from './keyring-file.js';
import type { Notes } from './notes.js';

const derive = promisify(scrypt) as (password: string, salt: string, bytes: number) => Promise<Buffer>;
/** Apart from everything else that may ever be derived from a cluster's token. */
const purpose = 'das-node gossip key 1';
const keyBytes = 32;
const loopback = /^(127\.|localhost$|::1$)/;

/**
 * The keys to start with, the one that encrypts first: those of the keyring file; else those of the cluster, from any of its nodes; else one
 * made of the cluster's token, so that nodes that start side by side have the same. Found ones are kept in the file. None: no encryption.
 * @throws ConfigError for a file that does not fit; StartError when gossip would be readable beyond this machine.
 */
export async function findKeys(
  context: ServiceContext,
  config: MembershipConfig,
  file: KeyringFile,
  place: { readonly bind: string; readonly notes: Notes },
): Promise<readonly string[]> {
  if (config.DAS_GOSSIP_ENCRYPTION === 'off') return [];
  const kept = await file.read();
  if (kept !== undefined) return kept;
  if (config.DAS_GOSSIP_KEYRING_FILE !== undefined) throw missing(file.path);
  const found = (await askCluster(context, config.DAS_GOSSIP_LABEL)) ?? (await fromToken(context));
  if (found !== undefined) {
    await file.write(found);
    return found;
  }
  if (!loopback.test(place.bind)) throw unencrypted(place.bind);
  place.notes.note(
    'plaintext',
    'gossip is not encrypted: there is no keyring file, and no cluster token to make a key of',
  );
  return [];
}

async function askCluster({ bus, node }: ServiceContext, label: string): Promise<readonly string[] | undefined> {
  try {
    const { body } = await bus.call(bootstrapGossip, { node }, { timeoutMs: membershipLimits.bootstrapTimeoutMs });
    const fits = body.label === label && body.keys.length > 0 && body.keys.every(isKeyText);
    return fits ? body.keys.slice(0, membershipLimits.keysMax) : undefined;
  } catch {
    // Nobody is there yet.
    return undefined;
  }
}

async function fromToken({ env }: ServiceContext): Promise<readonly string[] | undefined> {
  const { rest, nats } = loadTokens(loadCommonConfig(env));
  const token = rest ?? nats;
  return token === undefined ? undefined : [keyText(await derive(token, purpose, keyBytes))];
}

const missing = (path: string): StartError =>
  new StartError(`the keyring file ${path} does not exist`, {
    hint: 'das gossip keys generate makes a key; the file is a JSON list of keys, mode 600. Without DAS_GOSSIP_KEYRING_FILE one is made',
  });

const unencrypted = (bind: string): StartError =>
  new StartError(
    `gossip on ${bind} would not be encrypted: there is no keyring file, and no cluster token to make a key of`,
    {
      hint: 'set DAS_TOKEN_FILE or DAS_GOSSIP_KEYRING_FILE; or, where everyone who reaches the port may read and write, DAS_GOSSIP_ENCRYPTION=off',
    },
  );
