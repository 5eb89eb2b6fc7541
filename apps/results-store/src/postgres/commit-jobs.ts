/** What commits do to their jobs. */
import { type WeakSandbox, isWeak } from '@das/contracts';
import { endsWith, isWhole } from '@das/jobs';
import type { Lastly, Query } from '../database/database.js';
import type { CommitReply, CommitTask, Judged } from './commits.js';
import { type FactsRow, noteSandbox, weakOf } from './job-rows.js';
import { moveJob, tallyOf } from './move-job.js';

/** Those after which nothing of their job is left, with the job's end: in the same transaction, because nobody has anything left to decide. */
export async function endJobs(
  query: Query,
  lastly: Lastly,
  judged: readonly Judged[],
): Promise<ReadonlyMap<CommitTask | undefined, Pick<CommitReply, 'ended' | 'whole'>>> {
  const over = new Map<CommitTask, Pick<CommitReply, 'ended' | 'whole'>>();
  // One of each job: of several that may each be the last, the batch as a whole decides.
  const last = new Map(judged.filter(({ task }) => task.request.last).map((one) => [one.job.no, one])).values();
  const end = async ({ task, job, found }: Judged): Promise<void> => {
    const tally = await tallyOf(query, job);
    if (!endsWith(found.part.kind, { ...job, gathers: tally.gathers }, tally)) return;
    moveJob(lastly, job, 'succeeded');
    over.set(task, {
      ended: true,
      ...(!found.staged && isWhole(found.part, job, task.request.rows) && { whole: true }),
    });
  };
  await Promise.all(Array.from(last, end));
  return over;
}

/** Once for each job and layer, in one order for everybody. */
export function noteSandboxes(lastly: Lastly, judged: readonly Judged[]): void {
  const news = new Map<string, { readonly job: FactsRow; readonly layer: WeakSandbox }>();
  for (const { job, task } of judged) {
    const layer = task.request.sandbox;
    if (isWeak(layer) && !weakOf(job).includes(layer)) news.set(`${job.no} ${layer}`, { job, layer });
  }
  for (const { job, layer } of [...news.values()].sort((a, b) => a.job.no - b.job.no)) noteSandbox(lastly, job, layer);
}
