import type { Response } from 'express';

/** Sends pages no faster than the client takes them; returns the bytes sent. What `pages` throws is the caller's to answer. */
export async function sendPages(
  response: Response,
  pages: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): Promise<number> {
  let bytes = 0;
  for await (const page of pages) {
    if (response.destroyed) return bytes;
    bytes += page.length;
    if (!response.write(page)) await drained(response);
  }
  response.end();
  return bytes;
}

/** Resolves when there is room again, or nobody reads any more. */
function drained(response: Response): Promise<void> {
  if (response.destroyed) return Promise.resolve();
  return new Promise((resolve) => {
    const done = (): void => {
      response.off('drain', done);
      response.off('close', done);
      resolve();
    };
    response.on('drain', done);
    response.on('close', done);
  });
}
