import { scrypt } from 'node:crypto';
import { promisify } from 'node:util';
import { bootstrapGossip } from '@das/contracts';
import { formatIp, parseIp } from '@das/memberlist';
import { type ServiceContext, StartError, loadCommonConfig, loadTokens } from '@das/platform';
import type { MembershipConfig } from './config.js';
import { membershipLimits } from './limits.js';
import type { KeyRing } from './core/key-ring.js';
import { isKeyText, keyText } from './key-text.js';
import type { KeyringFile } from './keyring-file.js';
import type { Notes } from './notes.js';

const derive = promisify(scrypt) as (password: string, salt: string, bytes: number) => Promise<Buffer>;
/** Apart from everything else that may ever be derived from a cluster's token. */
const purpose = 'das-node gossip key 1';
const keyBytes = 32;
/** Of an IP address as memberlist writes it: mapped ones as IPv4. */
const loopback = /^(127\.|(0:){7}1$)/;
const none: KeyRing = { edition: 0, keys: [] };

/**
 * The keys to start with, the one that encrypts first: those of the keyring file; else those of the cluster, from any of its nodes; else one
 * made of the cluster's token, so that nodes that start side by side have the same. Found ones are kept in the file. None: no encryption.
 * `bind`: the IP address that gossip listens on.
 * @throws ConfigError for a file that does not fit; StartError when gossip would be readable beyond this machine.
 */
export async function findKeys(
  context: ServiceContext,
  config: MembershipConfig,
  file: KeyringFile,
  place: { readonly bind: string; readonly notes: Notes },
): Promise<KeyRing> {
  const isLocal = loopback.test(formatIp(parseIp(place.bind) ?? new Uint8Array(4)));
  if (config.DAS_GOSSIP_ENCRYPTION === 'off') {
    if (!isLocal)
      place.notes.note(
        'plaintext',
        `gossip on ${place.bind} is not encrypted: everyone who reaches its port can read it and take part`,
      );
    return none;
  }
  const kept = await file.read();
  if (kept !== undefined) return kept;
  if (file.named) throw missing(file.path);
  const found = (await askCluster(context, config.DAS_GOSSIP_LABEL)) ?? (await fromToken(context));
  if (found !== undefined) {
    await file.write(found);
    return found;
  }
  if (!isLocal) throw unencrypted(place.bind);
  place.notes.note(
    'plaintext',
    'gossip is not encrypted: there is no keyring file, and no cluster token to make a key of',
  );
  return none;
}

async function askCluster({ bus, node }: ServiceContext, label: string): Promise<KeyRing | undefined> {
  try {
    const { body } = await bus.call(bootstrapGossip, { node }, { timeoutMs: membershipLimits.bootstrapTimeoutMs });
    const fits = body.label === label && body.keys.length > 0 && body.keys.every(isKeyText);
    const { edition } = body;
    return fits ? { edition, keys: body.keys.slice(0, membershipLimits.keysMax) } : undefined;
  } catch {
    // Nobody is there yet.
    return undefined;
  }
}

async function fromToken({ env }: ServiceContext): Promise<KeyRing | undefined> {
  const { rest, nats } = loadTokens(loadCommonConfig(env));
  const token = rest ?? nats;
  if (token === undefined) return undefined;
  return { edition: 0, keys: [keyText(await derive(token, purpose, keyBytes))] };
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
