import { createHash } from 'node:crypto';
import { type BlockHead, Fault, type OutputRow, limits } from '@das/contracts';
import { InvalidRequestError } from '../core/job-rules-refusal.js';
import { countLines } from '../core/job-rules-pages.js';

/** What every adapter checks of raw bytes before it stores them. */

/** @throws Fault REQUEST_INVALID unless the bytes are the lines that the head says. */
export function checkBlock(block: BlockHead, raw: Uint8Array): void {
  if (raw.length > limits.pageBytesMax)
    throw new Fault('PAYLOAD_TOO_LARGE', `block ${block.no} has ${raw.length} bytes; at most ${limits.pageBytesMax}`);
  if (block.to <= block.from) throw invalid('block', 'at least one item');
  const lines = countLines(raw);
  if (lines !== block.to - block.from)
    throw invalid(
      'block',
      `${block.to - block.from} ended lines; the bytes have ${lines ?? 'a last line that is not ended'}`,
    );
  checkDigest('block.digest', block.digest, raw);
}

/** @throws Fault REQUEST_INVALID when the bytes were changed on the way. */
export function checkDigest(field: string, digest: string, bytes: Uint8Array | string): void {
  if (createHash('sha256').update(bytes).digest('hex') !== digest) throw invalid(field, 'the SHA-256 of the bytes');
}

/** A job was about to have a bundle that is not stored, or not any more. */
export const bundleMissing = (digest: string): Fault =>
  new Fault('CODE_NOT_FOUND', `the store does not have the code bundle ${digest.slice(0, 12)}`, {
    field: 'code.bundle',
    expected: 'the digest of a stored bundle, or the archive as the part `code`',
  });

/** Cuts the raw payload into its rows' slices. @throws Fault REQUEST_INVALID, PAYLOAD_TOO_LARGE when they do not fit. */
export function slices(rows: readonly OutputRow[], raw: Uint8Array): Uint8Array[] {
  let at = 0;
  const cut = rows.map(({ bytes }) => {
    if (bytes > limits.pageBytesMax)
      throw new Fault('PAYLOAD_TOO_LARGE', `an output row has ${bytes} bytes; at most ${limits.pageBytesMax}`);
    return raw.subarray(at, (at += bytes));
  });
  if (at !== raw.length) throw invalid('rows', `the ${raw.length} bytes that were sent; the rows say ${at}`);
  return cut;
}

const invalid = (field: string, expected: string): Fault => refusal(new InvalidRequestError(field, expected));

/** A refusal of the rules as it crosses the bus. */
function refusal({ message, field, expected }: InvalidRequestError): Fault {
  return new Fault('REQUEST_INVALID', message, { field, expected });
}

/** What an adapter throws for what was thrown: a refusal of the rules becomes a Fault, all else stays. */
export const asFault = (thrown: unknown): unknown => (thrown instanceof InvalidRequestError ? refusal(thrown) : thrown);
