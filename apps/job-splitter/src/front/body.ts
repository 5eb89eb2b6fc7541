import { Fault } from '@das/contracts';
import { messageOf } from '@das/kernel';

/** The whole of a small body. @throws Fault PAYLOAD_TOO_LARGE past `bytesMax`, with the rest unread. */
export async function collect(chunks: AsyncIterable<Uint8Array>, bytesMax: number, what: string): Promise<string> {
  const kept: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of chunks) {
    bytes += chunk.length;
    if (bytes > bytesMax) throw bodyTooLarge(what, bytesMax);
    kept.push(chunk);
  }
  return Buffer.concat(kept).toString('utf8');
}

function bodyTooLarge(what: string, bytesMax: number): Fault {
  return new Fault('PAYLOAD_TOO_LARGE', `${what} is larger than ${bytesMax} bytes`, {
    field: what,
    expected: `at most ${bytesMax} bytes`,
    hint: 'send items as the part `input` of a multipart request, where any number of them is fine',
  });
}

/** @throws Fault REQUEST_INVALID. */
export function parseJson(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Fault('REQUEST_INVALID', `${what} is not JSON: ${messageOf(error).slice(0, 200)}`, {
      field: what,
      expected: 'a JSON object like {"code":{"text":"def map(item): …"},"input":{"items":[1,2]}}',
    });
  }
}
