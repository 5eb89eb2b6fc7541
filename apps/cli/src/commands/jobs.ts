import type { JobEvent, JobView } from '@das/contracts';
import type { GlobalOptions } from '../client/endpoint.js';
import { followJob, hasEnded, pastEvents, readWhole } from '../client/job-follower.js';
import type { Context } from '../context.js';
import { duration, grouped, table } from '../core/human.js';
import { parseWhole } from '../core/parse.js';
import { jobText } from '../output/job.js';

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
    job.state,
    `${grouped(job.items.committed)}/${grouped(job.items.total)}`,
    job.items.failed,
    job.createdAt,
    job.wallMs === undefined ? '' : duration(job.wallMs),
  ]);
  await context.print(
    list,
    list.jobs.length === 0 ? 'no jobs' : table(['JOB', 'NAME', 'STATE', 'ITEMS', 'FAILED', 'CREATED', 'TOOK'], rows),
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

/** `das logs [-f] ID`: what the script printed. */
export async function logs(context: Context<FollowOptions>, id: string): Promise<void> {
  const client = await context.client();
  await client.learn();
  const query: Record<string, string> = context.options.follow === true ? { follow: '1' } : {};
  await readWhole(client, pathOf(id, '/logs'), query, (bytes) => context.world.out(bytes));
}

/** `das events [-f] ID`: one JSON object a line, from the first. Without `-f`, those of the past. */
export async function events(context: Context<FollowOptions>, id: string): Promise<void> {
  const { world, clock, options } = context;
  const client = await context.client();
  const view = await client.get<JobView>(pathOf(id));
  await client.learn();
  let written = Promise.resolve();
  const told = (event: JobEvent): void => {
    written = written.then(() => world.out(`${JSON.stringify(event)}\n`));
    // Told when it is awaited; until then it must not count as unhandled.
    written.catch(() => undefined);
  };
  if (options.follow === true || hasEnded(view.state)) await followJob(client, view.id, told);
  else await pastEvents(client, view.id, told, clock);
  await written;
}
