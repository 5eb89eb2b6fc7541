import { type IncomingMessage, request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { once } from 'node:events';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { type JobView, jobViewSchema } from '@das/contracts';
import { silentCluster, unansweredSubmission } from '../errors.js';
import { type Client, reason } from './client.js';
import { type SubmissionParts, multipartBody, multipartEnd } from './multipart.js';

/** A node waits up to 75 s for a store that is away before it answers (ms). */
const answerWithinMs = 120_000;

/** Who submits, and wants to know how far it is. */
export interface Submission {
  readonly signal: AbortSignal;
  /** Called before the end of the body goes out: from then on a job may come of it. */
  sent(): void;
}

/**
 * `fetch` would give up on a refusal that comes while the input is still being sent; this reads it.
 * @throws ProblemError; NoClusterError, which after `sent` says that the job may run.
 */
export async function submitJob(
  client: Client,
  parts: SubmissionParts,
  boundary: string,
  submission: Submission,
): Promise<JobView> {
  // Whoever answers here takes the job. A submission is sent once: half sent, nobody knows what became of it.
  await client.open('/health/live', {}, { signal: submission.signal });
  const late = new AbortController();
  const signal = AbortSignal.any([submission.signal, late.signal]);
  let onTime: (() => void) | undefined;
  const sent = (): void => {
    submission.sent();
    onTime = client.clock.timer(answerWithinMs, () => late.abort());
  };
  try {
    const response = await send(client, parts, boundary, { signal, sent });
    const body = await text(response);
    const status = response.statusCode ?? 0;
    if (status >= 300) throw client.problem(status, body);
    return jobViewSchema.parse(JSON.parse(body));
  } catch (thrown) {
    if (late.signal.aborted) throw unansweredSubmission(client.current, `no answer for ${answerWithinMs / 1000} s`);
    if (!isNetwork(thrown)) throw thrown;
    const answerLost = onTime !== undefined && !isRefusal(thrown);
    throw answerLost
      ? unansweredSubmission(client.current, reason(thrown))
      : silentCluster([client.current], reason(thrown));
  } finally {
    onTime?.();
  }
}

async function send(
  client: Client,
  parts: SubmissionParts,
  boundary: string,
  submission: Submission,
): Promise<IncomingMessage> {
  const url = new URL('/v1/jobs', client.current);
  const ask = url.protocol === 'https:' ? httpsRequest : httpRequest;
  const headers = { ...client.headers, 'content-type': `multipart/form-data; boundary=${boundary}` };
  const request = ask(url, { method: 'POST', headers, signal: submission.signal });
  const answered = once(request, 'response') as Promise<[IncomingMessage]>;
  let done = false;
  const over = (): void => {
    done = true;
    // A terminal or a pipe may have nothing to read for hours, and would keep us.
    if (parts.input instanceof Readable) parts.input.destroy();
  };
  answered.then(over, over);
  try {
    for await (const chunk of multipartBody(parts, boundary)) {
      if (done) break;
      if (!request.write(chunk)) await Promise.race([once(request, 'drain'), answered]);
    }
    if (!done) {
      submission.sent();
      request.end(multipartEnd(boundary));
    }
  } catch (thrown) {
    // Once all is over, the end of the input is only its echo.
    if (!done) {
      request.destroy();
      throw thrown;
    }
  }
  return (await answered)[0];
}

const isNetwork = (thrown: unknown): boolean =>
  /^(ECONN|EPIPE|ETIMEDOUT|EHOST|ENET|EAI_|ENOTFOUND)/.test((thrown as NodeJS.ErrnoException).code ?? '');

const isRefusal = (thrown: unknown): boolean => (thrown as NodeJS.ErrnoException).code === 'ECONNREFUSED';
