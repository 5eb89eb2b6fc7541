import { archiveHeadBytes, archiveKind } from '@das/bundles';
import { Fault, isWasm, limits, wasmBytesMax } from '@das/contracts';
import { bodyTooLarge } from './body.js';
import { frontLimits } from './config.js';

/** The part `code`: a script's text, or an archive. */
export type CodePart = { readonly text: string } | { readonly archive: Uint8Array };

/** Archives are held whole while they are unpacked and stored: so many at a time, the rest is asked to come again. */
export class ArchiveRoom {
  #taken = 0;

  /** Returns how to leave; twice is fine. @throws Fault SERVICE_UNAVAILABLE while it is full. */
  enter(): () => void {
    if (this.#taken >= frontLimits.archivesMax)
      throw new Fault('SERVICE_UNAVAILABLE', `this node is taking ${this.#taken} code bundles already`, {
        hint: 'try again a little later, or another node',
      });
    this.#taken += 1;
    let inside = true;
    return () => {
      if (inside) this.#taken -= 1;
      inside = false;
    };
  }
}

/**
 * Reads it whole. What begins as an archive may have `limits.archiveBytesMax`, and `onArchive` is called before more of it is read.
 * @throws Fault PAYLOAD_TOO_LARGE with the rest unread; what `onArchive` throws.
 */
export async function readCode(chunks: AsyncIterable<Uint8Array>, onArchive: () => void): Promise<CodePart> {
  const kept: Uint8Array[] = [];
  let [bytes, archive] = [0, false];
  for await (const chunk of chunks) {
    const before = bytes;
    bytes += chunk.length;
    kept.push(chunk);
    if (!archive && before < archiveHeadBytes && isArchive(kept)) {
      onArchive();
      archive = true;
    }
    const bytesMax = archive ? limits.archiveBytesMax : limits.codeBytesMax;
    if (bytes > bytesMax) throw bodyTooLarge('code', bytesMax);
  }
  const whole = Buffer.concat(kept);
  return archive ? { archive: whole } : { text: textOf(whole) };
}

/** A WebAssembly module goes on as text. @throws Fault PAYLOAD_TOO_LARGE. */
function textOf(bytes: Buffer): string {
  if (!isWasm(bytes)) return bytes.toString('utf8');
  const text = bytes.toString('base64');
  if (text.length <= limits.codeBytesMax) return text;
  throw bodyTooLarge('code', wasmBytesMax);
}

const isArchive = (kept: readonly Uint8Array[]): boolean => archiveKind(Buffer.concat(kept)) !== undefined;
