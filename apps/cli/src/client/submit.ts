import { type IncomingMessage, request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { type JobView, jobViewSchema } from '@das/contracts';
import { silentCluster } from '../errors.js';
import { type Client, reason } from './client.js';
import { type SubmissionParts, multipartBody } from './multipart.js';

/** `fetch` would give up on a refusal that comes while the input is still being sent; this reads it. */
export async function submitJob(
  client: Client,
  parts: SubmissionParts,
  boundary: string,
  signal: AbortSignal,
): Promise<JobView> {
  // Whoever answers here takes the job. A submission is sent once: half sent, nobody knows what became of it.
  await client.open('/health/live');
  const response = await send(client, multipartBody(parts, boundary), boundary, signal);
  const body = await text(response);
  const status = response.statusCode ?? 0;
  if (status >= 300) throw client.problem(status, body);
  return jobViewSchema.parse(JSON.parse(body));
}

async function send(
  client: Client,
  body: AsyncGenerator<Uint8Array, void>,
  boundary: string,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const url = new URL('/v1/jobs', client.current);
  const ask = url.protocol === 'https:' ? httpsRequest : httpRequest;
  const headers = { ...client.headers, 'content-type': `multipart/form-data; boundary=${boundary}` };
  const request = ask(url, { method: 'POST', headers, signal });
  const answered = once(request, 'response') as Promise<[IncomingMessage]>;
  // The answer may come, or the connection break, before anybody waits for it.
  answered.catch(() => undefined);
  let done = false;
  void answered.then(() => (done = true)).catch(() => (done = true));
  try {
    for await (const chunk of body) {
      if (done) break;
      if (!request.write(chunk)) await Promise.race([once(request, 'drain'), answered]);
    }
    if (!done) request.end();
    return (await answered)[0];
  } catch (thrown) {
    request.destroy();
    if (signal.aborted || !isNetwork(thrown)) throw thrown;
    throw silentCluster([client.current], reason(thrown));
  }
}

const isNetwork = (thrown: unknown): boolean =>
  /^(ECONN|EPIPE|ETIMEDOUT|EHOST|ENET|EAI_|ENOTFOUND)/.test((thrown as NodeJS.ErrnoException).code ?? '');
