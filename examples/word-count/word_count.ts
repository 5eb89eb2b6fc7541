/** The job of word_count.py in TypeScript, for texts in UTF-8; words are of the letters of every language. */
export function* map(item: { text: string }): Generator<[string, number]> {
  for (const [word] of item.text.toLowerCase().matchAll(/\p{L}+/gu)) yield [word, 1];
}
const sum = (_: string, counts: number[]): number => counts.reduce((total, count) => total + count, 0);
export { sum as combine, sum as reduce };
