/** Items that become text at a time: enough to be fast, few enough to let other requests in between. */
const itemsPerChunk = 500;

/** A JSON array, in pieces. */
export function* jsonText(items: Iterable<unknown>): Generator<string, void> {
  let separator = '[';
  let chunk: string[] = [];
  for (const item of items) {
    chunk.push(JSON.stringify(item));
    if (chunk.length < itemsPerChunk) continue;
    yield separator + chunk.join(',');
    separator = ',';
    chunk = [];
  }
  if (chunk.length > 0) yield `${separator}${chunk.join(',')}]`;
  else yield separator === '[' ? '[]' : ']';
}
