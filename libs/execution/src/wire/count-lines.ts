const lineEnd = 0x0a;
const lineEnds = 0x0a0a0a0a;
const lowBits = 0x7f7f7f7f;
const wordBytes = 4;

/** How many line ends there are. Four bytes at a time: results come by megabytes, on the thread that all else waits for. */
export function countLines(bytes: Uint8Array): number {
  const head = (wordBytes - (bytes.byteOffset % wordBytes)) % wordBytes;
  if (bytes.length < head + wordBytes) return countInBytes(bytes, 0, bytes.length);
  const words = Math.floor((bytes.length - head) / wordBytes);
  const tail = head + words * wordBytes;
  return (
    countInWords(new Int32Array(bytes.buffer, bytes.byteOffset + head, words)) +
    countInBytes(bytes, 0, head) +
    countInBytes(bytes, tail, bytes.length)
  );
}

function countInBytes(bytes: Uint8Array, from: number, to: number): number {
  let count = 0;
  for (let at = from; at < to; at += 1) if (bytes[at] === lineEnd) count += 1;
  return count;
}

/** Bytes that are line ends become 0, and of those the top bit is then the only one that is set; the product sums these. */
function countInWords(words: Int32Array): number {
  let count = 0;
  for (let at = 0; at < words.length; at += 1) {
    const differs = (words[at] as number) ^ lineEnds;
    const found = ~(((differs & lowBits) + lowBits) | differs | lowBits);
    if (found !== 0) count += Math.imul(found >>> 7, 0x01010101) >>> 24;
  }
  return count;
}
