/** What Serf says on top of memberlist, in its msgpack of the old kind; enough of it to be its peer. */

/** Serf's delegate protocol: an agent refuses members that speak another. */
export const serfDelegateVersion = [2, 5, 5] as const;

const tagsMark = 255;
const leaveIntent = 0;

function raw(word: string): Buffer {
  const bytes = Buffer.from(word);
  if (bytes.length < 32) return Buffer.concat([Buffer.of(0xa0 | bytes.length), bytes]);
  return Buffer.concat([Buffer.of(0xda, bytes.length >> 8, bytes.length & 255), bytes]);
}

/** Attributes as Serf's tags, base64. At most 15. */
export function encodeTags(tags: Readonly<Record<string, string>>): string {
  const entries = Object.entries(tags);
  const pairs = entries.flatMap(([name, value]) => [raw(name), raw(value)]);
  return Buffer.concat([Buffer.of(tagsMark, 0x80 | entries.length), ...pairs]).toString('base64');
}

/** The tags in attributes of a Serf agent. @throws Error when they are none */
export function decodeTags(meta: string | null | undefined): Record<string, string> {
  const bytes = Buffer.from(meta ?? '', 'base64');
  if (bytes[0] !== tagsMark || (bytes[1]! & 0xf0) !== 0x80) throw new Error(`no tags: ${bytes.toString('hex')}`);
  let at = 2;
  const word = (): string => {
    const head = bytes[at]!;
    const [skip, length] = head === 0xda ? [3, bytes.readUInt16BE(at + 1)] : [1, head & 0x1f];
    at += skip + length;
    return bytes.toString('utf8', at - length, at);
  };
  return Object.fromEntries(Array.from({ length: bytes[1]! & 0x0f }, () => [word(), word()]));
}

/** The user message by which Serf's agents tell a leave from a failure, base64. `time`: of Serf's logical clock. */
export function encodeLeaveIntent(node: string, time: number): string {
  const fields = [
    raw('LTime'),
    Buffer.of(0xcd, time >> 8, time & 255),
    raw('Node'),
    raw(node),
    raw('Prune'),
    Buffer.of(0xc2),
  ];
  return Buffer.concat([Buffer.of(leaveIntent, 0x83), ...fields]).toString('base64');
}
