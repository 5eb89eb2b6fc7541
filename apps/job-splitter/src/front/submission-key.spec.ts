import { KeyedBody, parseKey } from './submission-key.js';
import { parseSubmission } from './submission.js';

const text = 'def map(item): return item\n';
const items = (...lines: string[]) => new TextEncoder().encode(lines.map((line) => `${line}\n`).join(''));
const digest = (more: object, ...pieces: Uint8Array[]): string => {
  const body = new KeyedBody('k', parseSubmission({ code: { text }, ...more }));
  for (const piece of pieces) body.items(piece);
  return body.whole().digest;
};

describe('the identity of a submission', () => {
  const whole = digest({ params: { a: 1 } }, items('1', '2'));

  it('does not depend on how its items were cut, nor on defaults that were named', () => {
    expect(digest({ params: { a: 1 } }, items('1'), items('2'))).toBe(whole);
    expect(digest({ params: { a: 1 }, code: { text, filename: 'job.py', language: 'python' } }, items('1', '2'))).toBe(
      whole,
    );
  });

  it.each([
    ['items', { params: { a: 1 } }, [items('1', '3')]],
    ['one item more', { params: { a: 1 } }, [items('1', '2', '3')]],
    ['the border of two items', { params: { a: 1 } }, [items('12')]],
    ['params', { params: { a: 2 } }, [items('1', '2')]],
    ['limits', { params: { a: 1 }, retries: 5 }, [items('1', '2')]],
    ['the script', { params: { a: 1 }, code: { text: `${text}#` } }, [items('1', '2')]],
    ["the script's name", { params: { a: 1 }, code: { text, filename: 'a.py' } }, [items('1', '2')]],
    ['the range', { params: { a: 1 }, input: { range: [0, 2] } }, [items('1', '2')]],
  ])('depends on %s', (_, more, pieces) => {
    expect(digest(more, ...pieces)).not.toBe(whole);
  });

  it('takes keys as they are, and as structured fields', () => {
    expect([parseKey('8e03978e'), parseKey('"8e03978e"')]).toEqual(['8e03978e', '8e03978e']);
    for (const key of ['', '""', 'a b', 'é', 'x'.repeat(256)])
      expect(() => parseKey(key)).toThrow('the Idempotency-Key is not valid');
  });
});
