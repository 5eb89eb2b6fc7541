import { Fault } from '@das/contracts';
import { type Clock, messageOf } from '@das/kernel';
import type { Request } from 'express';
import { frontLimits } from './config.js';

/** The whole of a small body. @throws Fault PAYLOAD_TOO_LARGE past `bytesMax`, with the rest unread. */
export async function collect(chunks: AsyncIterable<Uint8Array>, bytesMax: number, what: string): Promise<Buffer> {
  const kept: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of chunks) {
    bytes += chunk.length;
    if (bytes > bytesMax) throw bodyTooLarge(what, bytesMax);
    kept.push(chunk);
  }
  return Buffer.concat(kept);
}

/**
 * The whole of a JSON body. On a fault the request is left open and flowing, for the answer to be read.
 * @throws Fault PAYLOAD_TOO_LARGE past `bytesMax`; REQUEST_INVALID when it is no JSON, breaks off, or is not there after `frontLimits.bodyMs`.
 */
export async function readJson(request: Request, clock: Clock, bytesMax: number): Promise<unknown> {
  const kept: Uint8Array[] = [];
  let bytes = 0;
  const text = await new Promise<string>((resolve, reject) => {
    const cancel = clock.timer(frontLimits.bodyMs, () => end(() => reject(bodyTooSlow())));
    const broken = () => end(() => reject(bodyBroken()));
    const take = (chunk: Uint8Array): void => {
      bytes += chunk.length;
      kept.push(chunk);
      if (bytes > bytesMax) end(() => reject(bodyTooLarge('the body', bytesMax)));
    };
    const whole = () => end(() => resolve(Buffer.concat(kept).toString('utf8')));
    const end = (settle: () => void): void => {
      cancel();
      request.off('data', take).off('end', whole).off('close', broken);
      settle();
    };
    request.on('data', take).once('end', whole).once('close', broken);
    // An error is followed by `close`; unheard it would end the process.
    request.on('error', () => undefined);
  });
  return parseJson(text, 'the body');
}

function bodyTooSlow(): Fault {
  return new Fault('REQUEST_INVALID', `the body was not there whole after ${frontLimits.bodyMs / 1_000} s`, {
    field: 'the body',
    expected: 'a JSON body in one go',
    hint: 'send it in one go; items may take their time as the part `input` of a multipart request',
  });
}

const bodyBroken = (): Fault => new Fault('REQUEST_INVALID', 'the connection was closed before the body was whole');

export function bodyTooLarge(what: string, bytesMax: number): Fault {
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
