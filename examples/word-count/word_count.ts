/** The same job as word_count.py, in TypeScript. */
export function* map(item: { text: string }): Generator<[string, number]> {
  for (const [word] of item.text.toLowerCase().matchAll(/\p{L}+/gu)) yield [word, 1];
}
const sum = (_: string, counts: number[]): number => counts.reduce((total, count) => total + count, 0);
export { sum as combine, sum as reduce };
