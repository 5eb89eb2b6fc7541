import { createHash } from 'node:crypto';
import type { BlockHead, Failure, JobSpec } from '@das/contracts';
import { type JobPlan, keys } from './workload.js';

/* What simulated scripts compute, the same on every node and in a sequential run. */

const encoder = new TextEncoder();
const decoder = new TextDecoder();
export const bytesOf = (text: string): Uint8Array => encoder.encode(text);
export const textOf = (bytes: Uint8Array): string => decoder.decode(bytes);
/** NDJSON as its lines. */
export const linesOf = (text: string): string[] => (text === '' ? [] : text.slice(0, -1).split('\n'));
export const joined = (lines: readonly string[]): string => lines.map((line) => `${line}\n`).join('');

/** The stored text of an item; `split` may yield others for its first attempts. */
export const itemText = (item: number, fickle: boolean): string => `"${fickle ? 'u' : 'v'}${item}"`;

export const mapLine = (text: string): string => `"r${text.slice(1)}`;
export const keyOf = (text: string): number => Number(text.slice(2, -1)) % keys;
export const bucketOf = (key: number, buckets: number): number => key % buckets;
export const pairLine = (text: string): string => `[${keyOf(text)},${text}]`;
export const mainLines = (spec: JobSpec): string[] => [`"main of ${spec.job}"`, '"done"'];
export const gatherLine = (line: string): string => `["g",${line}]`;

/** Lines of one bucket in item order to lines of its keys, in key order. */
export function reduceLines(pairs: readonly string[]): string[] {
  const values = new Map<number, string[]>();
  for (const line of pairs) {
    const comma = line.indexOf(',');
    const key = Number(line.slice(1, comma));
    values.set(key, [...(values.get(key) ?? []), line.slice(comma + 1, -1)]);
  }
  return mergeLines([...values].map(([key, list]) => `{"key":${key},"value":[${list.join(',')}]}`));
}

/** Lines of keys, of several buckets, in key order. */
export const mergeLines = (lines: readonly string[]): string[] =>
  [...lines].sort((a, b) => Number(/\d+/.exec(a)) - Number(/\d+/.exec(b)));

export const raisedFailure = (item: number): Failure & { readonly item: number } => ({
  code: 'ITEM_RAISED',
  message: `item ${item} raises`,
  item,
});

/** The blocks that `split`, or an upload, stores. */
export function blocksOf(plan: JobPlan, fickle: boolean): { head: BlockHead; raw: Uint8Array }[] {
  const items = fickle ? Math.floor(plan.items / 2) + 1 : plan.items;
  const blocks = [];
  for (let from = 0; from < items; from += plan.blockItems) {
    const to = Math.min(items, from + plan.blockItems);
    const text = joined(Array.from({ length: to - from }, (_, i) => itemText(from + i, fickle)));
    const digest = createHash('sha256').update(text).digest('hex');
    blocks.push({ head: { no: blocks.length, from, to, digest }, raw: bytesOf(text) });
  }
  return blocks;
}
