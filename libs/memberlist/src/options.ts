import { parseIp } from './core/address.js';
import { Keyring } from './core/codec/keyring.js';
import { encodeText } from './core/codec/utf8.js';
import type { Wire } from './core/codec/wire.js';
import type { Cipher } from './core/codec/cipher.js';
import { type Config, configProblems, lanConfig } from './core/config.js';
import { limits } from './core/limits.js';
import { MemberlistError } from './errors.js';

/** How a node is made: the protocol's configuration (defaults: LAN) and what surrounds it. Only the name is required. */
export interface MemberlistOptions extends Partial<Config> {
  readonly name: string;
  /** Address to listen on. @default '0.0.0.0' */
  readonly bindAddr?: string;
  /** IP address that others are told. @default the bound one */
  readonly advertiseAddr?: string;
  /** Port that others are told, with {@link advertiseAddr}. */
  readonly advertisePort?: number;
  /** AES key of 16, 24 or 32 bytes that encrypts. @default none: no encryption */
  readonly secretKey?: Uint8Array;
  /** Further keys that decrypt; the first is primary when there is no {@link secretKey}. */
  readonly keys?: readonly Uint8Array[];
  /** Refuse plaintext while encrypted. @default true */
  readonly verifyIncoming?: boolean;
  /** Encrypt what is sent while keys are there. @default true */
  readonly verifyOutgoing?: boolean;
  /** Compress where the original does. @default true */
  readonly compression?: boolean;
  /** Keeps clusters on one network apart; at most 255 bytes. Nodes before memberlist 0.3 do not know it. @default '' */
  readonly label?: string;
  /** Something before us removes the labels. @default false */
  readonly skipInboundLabelCheck?: boolean;
}

/**
 * The options as the protocol takes them.
 * @throws MemberlistError CONFIG_INVALID naming all that is wrong
 */
export function resolveOptions(options: MemberlistOptions, cipher: Cipher): { config: Config; wire: Wire } {
  const defined = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  const config: Config = { ...lanConfig, name: options.name, ...defined };
  const label = encodeText(options.label ?? '');
  const keys = options.keys ?? [];
  const keyring = Keyring.create(keys, options.secretKey?.length ? options.secretKey : keys[0]);
  const problems = configProblems(config);
  problems.push(...addressProblems(options));
  if (label.length > limits.labelBytesMax) problems.push(`label: at most ${limits.labelBytesMax} bytes`);
  if (!(keyring instanceof Keyring)) problems.push('secretKey and keys: expected 16, 24 or 32 bytes each');
  if (problems.length > 0 || !(keyring instanceof Keyring)) {
    throw new MemberlistError('CONFIG_INVALID', `invalid configuration: ${problems.join('; ')}`);
  }
  const wire: Wire = {
    label,
    cipher,
    keyring,
    skipInboundLabelCheck: options.skipInboundLabelCheck ?? false,
    verifyIncoming: options.verifyIncoming ?? true,
    verifyOutgoing: options.verifyOutgoing ?? true,
    encryptionVersion: config.protocolVersion === 1 ? 0 : 1,
    compression: options.compression ?? true,
  };
  return { config, wire };
}

function addressProblems({ bindAddr, advertiseAddr, advertisePort }: MemberlistOptions): string[] {
  const addresses = Object.entries({ bindAddr, advertiseAddr });
  const wrong = addresses.filter(([, text]) => text !== undefined && parseIp(text) === undefined);
  const problems = wrong.map(([key, text]) => `${key}: not an IP address: ${JSON.stringify(text)}`);
  if (advertisePort !== undefined && !(advertisePort >= 1 && advertisePort <= 65_535)) {
    problems.push(`advertisePort is ${advertisePort}: expected 1 to 65535`);
  }
  return problems;
}
