import type { JobView } from '@das/contracts';
import type { Client } from '../client/client.js';
import type { GlobalOptions } from '../client/endpoint.js';
import { hasEnded, keepingJob, wholeOf } from '../client/job-follower.js';
import type { Context } from '../context.js';
import { ExitError, exitCodes } from '../errors.js';
import { FollowedResult } from '../output/followed-result.js';
import { type Destination, openDestination } from '../output/destination.js';
import { outcomeLines } from '../output/job.js';
import { OutputError } from '../world.js';

export interface ResultsOptions extends GlobalOptions {
  readonly follow?: boolean;
  readonly output?: string;
}

const jobPath = (id: string): string => `/v1/jobs/${encodeURIComponent(id)}`;

/** `das results ID`: NDJSON on standard output. With `--follow`, while it comes about: provisional until the job succeeds. */
export async function results(context: Context<ResultsOptions>, id: string): Promise<void> {
  const { follow, output } = context.options;
  const client = await context.client();
  const job = await client.get<JobView>(jobPath(id));
  await client.learn();
  const copying =
    follow === true && !hasEnded(job.state)
      ? copy(context, job.id, output, (into, signal) => copyFollowed(context, client, job, into, signal))
      : copyResults(context, client, job.id, output);
  await keepingJob(job.id, copying);
}

/** Copies the result of an ended job to standard output or a file, which appears under its name only when it is whole. */
export function copyResults(context: Context, client: Client, id: string, output: string | undefined): Promise<void> {
  return copy(context, id, output, async (into, signal) => {
    for await (const bytes of wholeOf(client, `${jobPath(id)}/results`, {}, signal)) await into.write(bytes);
  });
}

/** @throws ExitError after telling why, when the job came to another end than success. */
async function copyFollowed(
  context: Context,
  client: Client,
  job: JobView,
  into: Destination,
  signal: AbortSignal,
): Promise<void> {
  const followed = new FollowedResult((bytes) => into.write(bytes));
  const whole = wholeOf(client, `${jobPath(job.id)}/results`, { follow: '1' }, signal);
  for await (const bytes of whole) await followed.take(bytes);
  // In any case: of two nodes read one after the other, the second may have told the result of a new generation.
  const now = await client.get<JobView>(jobPath(job.id), {}, signal);
  if (now.state === 'succeeded' && now.generation === job.generation) return followed.takeKept();
  tellEnd(context, now);
  throw new ExitError(now.state === 'cancelled' ? exitCodes.cancelled : exitCodes.failed);
}

function tellEnd({ world, options }: Context, job: JobView): void {
  if (options.json === true) return world.err(JSON.stringify(job));
  if (hasEnded(job.state) && job.state !== 'succeeded') for (const line of outcomeLines(job)) world.err(line);
  else world.err(`error: job ${job.id} started again, because split() gave other items; read its results again`);
}

/** Opens, copies, and closes or takes back. Whatever goes wrong with the destination, the result is still in the cluster. */
async function copy(
  { world }: Context,
  id: string,
  output: string | undefined,
  fill: (into: Destination, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  try {
    const into = await openDestination(output, world);
    const { signal, close } = interruptOf(into, world.onInterrupt);
    try {
      await fill(into, signal);
      await into.finish();
    } catch (thrown) {
      await into.abandon();
      throw thrown;
    } finally {
      close();
    }
  } catch (thrown) {
    if (!(thrown instanceof OutputError)) throw thrown;
    throw new OutputError(thrown.message, { hint: `the result is kept: das results ${id} --output FILE` });
  }
}

/** Where a file is to be taken away first, an interrupt must not end the process at once; the second one does. */
function interruptOf(into: Destination, onInterrupt: Context['world']['onInterrupt']) {
  const stop = new AbortController();
  if (!into.temporary) return { signal: stop.signal, close: () => undefined };
  const close = onInterrupt(() => {
    close();
    stop.abort(new ExitError(exitCodes.cancelled));
  });
  return { signal: stop.signal, close };
}
