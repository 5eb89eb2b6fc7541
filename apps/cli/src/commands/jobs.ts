import type { JobEvent, JobView } from '@das/contracts';
import type { GlobalOptions } from '../client/endpoint.js';
import { followJob, hasEnded, keepingJob, pastEvents, wholeOf } from '../client/job-follower.js';
import { linesOf } from '../client/sse.js';
import type { Context } from '../context.js';
import { duration, grouped, table } from '../core/human.js';
import { parseWhole } from '../core/parse.js';
import { eventLine, logLine } from '../output/event.js';
import { hasItems, jobText, shortDigest } from '../output/job.js';

export interface JobsOptions extends GlobalOptions {
  readonly state?: string;
  readonly limit?: string;
}
export interface FollowOptions extends GlobalOptions {
  readonly follow?: boolean;
}

const pathOf = (id: string, rest = ''): string => `/v1/jobs/${encodeURIComponent(id)}${rest}`;

/** `das jobs`: the newest first. */
export async function jobs(context: Context<JobsOptions>): Promise<void> {
  const { state, limit = '20' } = context.options;
  const client = await context.client();
  const list = await client.get<{ jobs: JobView[] }>('/v1/jobs', { state, limit: parseWhole(limit, '--limit', 1) });
  const rows = list.jobs.map((job) => [
    job.id,
    job.name,
    job.code === undefined ? '' : shortDigest(job.code.digest),
    job.state,
    hasItems(job) ? `${grouped(job.items.committed)}/${grouped(job.items.total)}` : 'one step',
    job.items.failed,
    job.createdAt,
    job.wallMs === undefined ? '' : duration(job.wallMs),
  ]);
  await context.print(
    list,
    list.jobs.length === 0
      ? 'no jobs'
      : table(['JOB', 'NAME', 'CODE', 'STATE', 'ITEMS', 'FAILED', 'CREATED', 'TOOK'], rows),
  );
}

/** `das job ID`. */
export async function job(context: Context, id: string): Promise<void> {
  const view = await (await context.client()).get<JobView>(pathOf(id));
  await context.print(view, jobText(view));
}

/** `das cancel ID`: twice is fine. */
export async function cancel(context: Context, id: string): Promise<void> {
  const view = await (await context.client()).delete<JobView>(pathOf(id));
  await context.print(view, `job ${view.id} is ${view.state}`);
}

/** `das logs [-f] ID`: what the script printed; with `--json` an object per line. */
export async function logs(context: Context<FollowOptions>, id: string): Promise<void> {
  const { world, options } = context;
  const client = await context.client();
  await client.learn();
  const text = wholeOf(client, pathOf(id, '/logs'), options.follow === true ? { follow: '1' } : {});
  if (options.json !== true) for await (const bytes of text) await world.out(bytes);
  else for await (const line of linesOf(text)) await world.out(`${JSON.stringify(logLine(line))}\n`);
}

/** `das events [-f] ID`: a line each, from the first; with `--json` the events themselves. Without `-f`, those of the past. */
export async function events(context: Context<FollowOptions>, id: string): Promise<void> {
  const { world, clock, options } = context;
  const client = await context.client();
  const view = await client.get<JobView>(pathOf(id));
  await client.learn();
  const unread = new AbortController();
  let written = Promise.resolve();
  const told = (event: JobEvent): void => {
    const line = options.json === true ? JSON.stringify(event) : eventLine(event);
    written = written.then(() => world.out(`${line}\n`));
    written.catch((thrown: unknown) => unread.abort(thrown));
  };
  if (options.follow === true || hasEnded(view.state))
    await keepingJob(view.id, followJob(client, view.id, told, unread.signal));
  else await pastEvents(client, view.id, told, clock);
  await written;
}
