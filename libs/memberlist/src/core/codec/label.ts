import { limits } from '../limits.js';
import { concat, equalBytes, noBytes } from './bytes.js';
import { codes } from './schema.js';
import { type Decoded, decoded, undecodable } from './struct.js';

/** How a receiver treats labels. Empty label: none. */
export interface LabelPolicy {
  readonly label: Uint8Array;
  /** For proxies that remove the header before us: the label counts as present, and a header is refused. */
  readonly skipInboundLabelCheck: boolean;
}

/** Bytes that a label adds to every packet. */
export function labelOverhead(label: Uint8Array): number {
  return label.length === 0 ? 0 : 2 + label.length;
}

/** The header that goes first on a packet or a stream; nothing for an empty label. The label is at most 255 bytes (checked with the configuration). */
export function labelHeader(label: Uint8Array): Uint8Array {
  return label.length === 0 ? noBytes : concat([Uint8Array.of(codes.label, label.length), label]);
}

/** The bytes with the label's header before them. */
export function addLabel(bytes: Uint8Array, label: Uint8Array): Uint8Array {
  return label.length === 0 ? bytes : concat([labelHeader(label), bytes]);
}

/** A label as found, and what follows it. */
export interface Labelled {
  readonly label: Uint8Array;
  readonly rest: Uint8Array;
}

/** Takes the header off. Without one the label is empty. `short` says that the header is not whole. */
export function removeLabel(bytes: Uint8Array): Decoded<Labelled> | 'short' {
  if (bytes[0] !== codes.label) return decoded({ label: noBytes, rest: bytes });
  const size = bytes[1];
  if (size === undefined) return 'short';
  if (size === 0 || size > limits.labelBytesMax) return undecodable('label header has an empty label');
  if (bytes.length < 2 + size) return 'short';
  return decoded({ label: bytes.slice(2, 2 + size), rest: bytes.subarray(2 + size) });
}

/** Why a packet or stream with this label is not for us, or nothing. */
export function labelProblem(found: Uint8Array, policy: LabelPolicy): string | undefined {
  if (policy.skipInboundLabelCheck) return found.length > 0 ? 'unexpected double label' : undefined;
  return equalBytes(found, policy.label) ? undefined : 'label does not match';
}
