import type { NodeId } from '@das/kernel';
import type { Vote } from './types.js';

/** What one of the two slots holds: written in turn, so that a torn write leaves the other. */
export interface Slot {
  readonly vote: Vote;
  /** Which write it is: the newest counts. */
  readonly n: number;
}

const format = 'das-vote-1';
const line = /^(das-vote-1 (\d{1,16}) (\d{1,16}) ([A-Za-z0-9_-]{1,64}|\.)) ([0-9a-f]{8})\n$/;

/** One line of text: format, number of the write, round, vote (`.`: none), checksum. */
export function encodeSlot({ vote, n }: Slot): string {
  const text = `${format} ${n} ${vote.round} ${vote.votedFor ?? '.'}`;
  return `${text} ${crc32(text)}\n`;
}

/** Undefined for anything torn, rotten or foreign. */
export function decodeSlot(text: string): Slot | undefined {
  const match = line.exec(text);
  if (match === null || crc32(match[1] as string) !== match[5]) return undefined;
  const [n, round] = [Number(match[2]), Number(match[3])];
  if (!Number.isSafeInteger(n) || !Number.isSafeInteger(round)) return undefined;
  return { n, vote: { round, votedFor: match[4] === '.' ? undefined : (match[4] as NodeId) } };
}

/** What two slots, as read, amount to; undefined: there was no such file. */
export function readSlots(texts: readonly (string | undefined)[]): Slot | 'empty' | 'corrupt' {
  if (texts.every((text) => text === undefined)) return 'empty';
  const slots = texts
    .flatMap((text) => (text === undefined ? [] : [decodeSlot(text)]))
    .filter((slot) => slot !== undefined);
  const [newest] = slots.sort((a, b) => b.n - a.n);
  return newest ?? 'corrupt';
}

/** Whether `next` may follow `last`: rounds never fall, and a vote given is not given again. */
export function mayFollow(last: Vote, next: Vote): boolean {
  if (next.round !== last.round) return next.round > last.round;
  return last.votedFor === undefined || last.votedFor === next.votedFor;
}

/** CRC-32 (IEEE 802.3) of ASCII text, as eight hexadecimal digits. */
function crc32(text: string): string {
  let crc = 0xffffffff;
  for (let i = 0; i < text.length; i += 1) {
    crc ^= text.charCodeAt(i);
    for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ((crc ^ 0xffffffff) >>> 0).toString(16).padStart(8, '0');
}
