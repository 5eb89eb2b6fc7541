import type { Failure, JobView } from '@das/contracts';
import { duration, grouped } from '../core/human.js';

/** One line: what, how it stands, how long. */
export function jobSummary(job: JobView): string {
  const { committed, failed, total, final } = job.items;
  const counts = [
    `${grouped(committed)}/${grouped(total)}${final ? '' : '+'} items`,
    ...(failed > 0 ? [`${grouped(failed)} failed`] : []),
  ];
  return `${job.id}  ${job.name}  ${job.state}  ${counts.join(', ')}${job.wallMs === undefined ? '' : `  ${duration(job.wallMs)}`}`;
}

/** What is said on standard error when a job has ended. */
export function outcomeLines(job: JobView): string[] {
  const { committed, failed } = job.items;
  const took = job.wallMs === undefined ? '' : ` in ${duration(job.wallMs)}`;
  if (job.state === 'failed') return [`error: job ${job.id} failed${took}`, ...failureLines(job.failure)];
  const lost = failed > 0 ? `, ${grouped(failed)} failed` : '';
  return [`job ${job.id} ${job.state}${took}: ${grouped(committed)} items${lost}`];
}

/** A failure in words: where, the item's beginning, the script's traceback, what to do. */
export function failureLines(failure: Failure | undefined): string[] {
  if (!failure) return [];
  const { message, item, itemText, part, node, traceback, hint } = failure;
  const where = [item === undefined ? '' : `item ${item}`, part ?? '', node === undefined ? '' : `on ${node}`].filter(
    (text) => text !== '',
  );
  return [
    `  ${message}`,
    ...(where.length === 0 ? [] : [`  at: ${where.join(', ')}`]),
    ...(itemText === undefined ? [] : [`  item: ${itemText}`]),
    ...(traceback ?? '')
      .split('\n')
      .filter((line) => line.trim() !== '')
      .map((line) => `    ${line}`),
    ...(hint === undefined ? [] : [`  hint: ${hint}`]),
  ];
}

/** Everything about one job. */
export function jobText(job: JobView): string {
  const defined = Object.entries(job.functions).filter(([, there]) => there);
  const rows: readonly (readonly [string, string | undefined])[] = [
    ['job', job.id],
    ['name', job.name],
    ['state', job.state],
    [
      'items',
      `${grouped(job.items.committed)} done, ${grouped(job.items.failed)} failed, of ${grouped(job.items.total)}${job.items.final ? '' : ' so far'}`,
    ],
    ['open parts', job.openParts > 0 ? grouped(job.openParts) : undefined],
    ['functions', defined.map(([name]) => name).join(', ')],
    ['contact', job.contact],
    ['generation', job.generation > 1 ? String(job.generation) : undefined],
    ['created', job.createdAt],
    ['finished', job.finishedAt],
    ['took', job.wallMs === undefined ? undefined : duration(job.wallMs)],
  ];
  const lines = rows.flatMap(([name, value]) => (value === undefined ? [] : [`${name.padEnd(11)} ${value}`]));
  return [...lines, ...(job.failure ? ['failure', ...failureLines(job.failure)] : [])].join('\n');
}
