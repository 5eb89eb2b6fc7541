import fc from 'fast-check';
import { linesOf, serverEvents } from './sse.js';

async function* chunks(text: string, cuts: readonly number[]): AsyncGenerator<Uint8Array> {
  const bytes = new TextEncoder().encode(text);
  let at = 0;
  for (const cut of cuts) {
    const to = Math.min(bytes.length, at + cut);
    yield bytes.subarray(at, to);
    at = to;
  }
  yield bytes.subarray(at);
}
const all = async <T>(from: AsyncIterable<T>): Promise<T[]> => {
  const found: T[] = [];
  for await (const one of from) found.push(one);
  return found;
};

const stream =
  ': hello\n\nid: 1\nevent: state\ndata: {"ü":1}\n\n: still here\n\nid: 2\ndata: a\ndata:  b\n\ndata: unfinished\n';

it('gives the events whatever the chunks are', () =>
  fc.assert(
    fc.asyncProperty(fc.array(fc.nat(9), { maxLength: 60 }), async (cuts) => {
      expect(await all(serverEvents(chunks(stream, cuts)))).toEqual([
        { id: '1', data: '{"ü":1}' },
        { id: '2', data: 'a\n b' },
      ]);
    }),
  ));

it('takes a last line without an end, and lines that end in CRLF', async () => {
  expect(await all(linesOf(chunks('a\r\nb\n\nc', [])))).toEqual(['a', 'b', '', 'c']);
});
