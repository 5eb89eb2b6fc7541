import { type IncomingMessage, request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { once } from 'node:events';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { type JobView, jobViewSchema } from '@das/contracts';
import { NoClusterError, ProblemError, silentCluster, unansweredSubmission } from '../errors.js';
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

/** Times a submission goes out at most: more nodes than that do not die of it by chance. */
const triesMax = 3;
/** A node may still be receiving what was sent to it before; it notices within this that nobody sends any more (ms). */
const keyFreeMs = 30_000;
const keyPauseMs = 1_000;

/** What was sent to a node, and nobody knows what came of it. */
class Unanswered extends Error {
  constructor(
    readonly told: NoClusterError,
    /** The connection is there, and nothing comes. */
    readonly silent: boolean,
  ) {
    super(told.message);
  }
}

/**
 * Submits under a key of its own, so that it may go out again, to whichever node lives then, without ever being two jobs: after a connection
 * that broke, and after a silence if there is another node. Input that comes only once goes out once.
 * @param id random; must not occur in what is sent
 * @throws ProblemError; NoClusterError, which after `sent` says that the job may run.
 */
export async function submitJob(
  client: Client,
  parts: SubmissionParts,
  id: string,
  submission: Submission,
): Promise<JobView> {
  let lost: NoClusterError | undefined;
  let input = parts.input;
  for (let tries = 1; ; tries++) {
    try {
      const patiently = lost === undefined ? submitOnce : whileInUse;
      return await patiently(client, { ...parts, input }, id, submission);
    } catch (thrown) {
      submission.signal.throwIfAborted();
      // What was lost before may have become a job, whatever else is wrong now.
      if (!(thrown instanceof Unanswered)) throw thrown instanceof NoClusterError ? (lost ?? thrown) : thrown;
      lost = thrown.told;
      const again = parts.input === undefined || parts.reopen !== undefined;
      const elsewhere = !thrown.silent || client.urls.length > 1;
      if (!again || !elsewhere || tries >= triesMax) throw lost;
      client.next('did not answer the submission');
      input = parts.reopen?.();
    }
  }
}

/** The node that was lost may not have noticed yet that nobody sends any more. */
async function whileInUse(
  client: Client,
  parts: SubmissionParts,
  id: string,
  submission: Submission,
): Promise<JobView> {
  const until = client.clock.monotonic() + keyFreeMs;
  for (let { input } = parts; ; input = parts.reopen?.()) {
    try {
      return await submitOnce(client, { ...parts, input }, id, submission);
    } catch (thrown) {
      const inUse = thrown instanceof ProblemError && thrown.problem.code === 'IDEMPOTENCY_KEY_IN_USE';
      if (!inUse || client.clock.monotonic() >= until) throw thrown;
      await client.pause(keyPauseMs);
    }
  }
}

/** `fetch` would give up on a refusal that comes while the input is still being sent; this reads it. */
async function submitOnce(
  client: Client,
  parts: SubmissionParts,
  id: string,
  submission: Submission,
): Promise<JobView> {
  // Whoever answers here takes the job.
  await client.open('/health/live', {}, { signal: submission.signal });
  const late = new AbortController();
  const signal = AbortSignal.any([submission.signal, late.signal]);
  let onTime: (() => void) | undefined;
  const sent = (): void => {
    submission.sent();
    onTime = client.clock.timer(answerWithinMs, () => late.abort());
  };
  try {
    const response = await send(client, parts, id, { signal, sent });
    const body = await text(response);
    const status = response.statusCode ?? 0;
    if (status >= 300) throw client.problem(status, body);
    return jobViewSchema.parse(JSON.parse(body));
  } catch (thrown) {
    const { current } = client;
    if (late.signal.aborted)
      throw new Unanswered(unansweredSubmission(current, `no answer for ${answerWithinMs / 1000} s`), true);
    if (!isNetwork(thrown)) throw thrown;
    const answerLost = onTime !== undefined && !isRefusal(thrown);
    const why = reason(thrown);
    throw new Unanswered(answerLost ? unansweredSubmission(current, why) : silentCluster([current], why), false);
  } finally {
    onTime?.();
  }
}

async function send(
  client: Client,
  parts: SubmissionParts,
  id: string,
  submission: Submission,
): Promise<IncomingMessage> {
  const url = new URL('/v1/jobs', client.current);
  const ask = url.protocol === 'https:' ? httpsRequest : httpRequest;
  const headers = { ...client.headers, 'idempotency-key': id, 'content-type': `multipart/form-data; boundary=${id}` };
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
    for await (const chunk of multipartBody(parts, id)) {
      if (done) break;
      if (!request.write(chunk)) await Promise.race([once(request, 'drain'), answered]);
    }
    if (!done) {
      submission.sent();
      request.end(multipartEnd(id));
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
