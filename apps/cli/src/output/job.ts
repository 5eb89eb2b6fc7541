import type { Failure, JobView } from '@das/contracts';
import { sizeText } from '@das/kernel';
import { counted, duration, grouped, hookName } from '../core/human.js';
import { limitOptions } from '../core/limits.js';

/** What is said on standard error when a job has ended. */
export function outcomeLines(job: JobView): string[] {
  const { committed, failed } = job.items;
  const took = job.wallMs === undefined ? '' : ` in ${duration(job.wallMs)}`;
  if (job.state === 'failed')
    return [
      `error: job ${job.id} failed${took}`,
      ...failureLines(job.failure),
      ...hookLines(job),
      ...sandboxLines(job),
    ];
  const lost = failed > 0 ? `, ${grouped(failed)} failed` : '';
  const items = hasItems(job) ? `: ${counted(committed, 'item')}${lost}` : '';
  return [`job ${job.id} ${job.state}${took}${items}`, ...hookLines(job), ...sandboxLines(job)];
}

/** Who ran it should know when it was not kept in as well as it could be. */
function sandboxLines({ sandboxes }: JobView): string[] {
  const text = sandboxText(sandboxes);
  return text === undefined ? [] : [`warning: it ran, in part or as a whole, with ${text}`];
}

function sandboxText(sandboxes: JobView['sandboxes'] = []): string | undefined {
  const words = { landlock: 'a weaker sandbox (landlock; docs/security.md)', none: 'no sandbox (DAS_SANDBOX=none)' };
  return sandboxes.length === 0 ? undefined : sandboxes.map((layer) => words[layer]).join(', and with ');
}

/** A hook that failed changes nothing of the outcome, and must not go unseen. */
function hookLines({ decision, hookFailure }: JobView): string[] {
  if (hookFailure === undefined) return [];
  return [`warning: ${hookName(decision?.outcome)} failed; the outcome stays`, ...failureLines(hookFailure)];
}

/** A script that is one step, `main`, has none. */
export const hasItems = ({ functions }: JobView): boolean => !functions.main;

/** A failure in words: where, the item's beginning, the script's traceback, what to do. */
export function failureLines(failure: Failure | undefined): string[] {
  if (!failure) return [];
  const { message, item, itemText, part, node, traceback, hint } = failure;
  // Of a step the number is no item's.
  const ofItem = part === undefined || part.startsWith('map:');
  const where = [
    item === undefined || !ofItem ? '' : `item ${item}`,
    part ?? '',
    node === undefined ? '' : `on ${node}`,
  ].filter((text) => text !== '');
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
    ['items', hasItems(job) ? itemsText(job.items) : undefined],
    ['decided', job.decision && `${job.decision.outcome} (${job.decision.decidedAt}); ${hookWords(job, job.decision)}`],
    ['open parts', job.openParts > 0 ? grouped(job.openParts) : undefined],
    ['code', job.code && codeText(job.code)],
    ['venv', job.venv],
    ['functions', defined.map(([name]) => name).join(', ')],
    ['limits', limitsText(job.limits)],
    ['sandbox', sandboxText(job.sandboxes)],
    ['contact', job.contact],
    ['generation', job.generation > 1 ? String(job.generation) : undefined],
    ['created', job.createdAt],
    ['finished', job.finishedAt],
    ['took', job.wallMs === undefined ? undefined : duration(job.wallMs)],
  ];
  const lines = rows.flatMap(([name, value]) => (value === undefined ? [] : [`${name.padEnd(11)} ${value}`]));
  const failed = job.failure ? ['failure', ...failureLines(job.failure)] : [];
  const hook = job.hookFailure ? ['hook failed', ...failureLines(job.hookFailure)] : [];
  return [...lines, ...failed, ...hook].join('\n');
}

/** Enough of a digest to tell versions apart. */
export const shortDigest = (digest: string): string => digest.slice(0, 10);

function codeText({ digest, entry, bundle }: NonNullable<JobView['code']>): string {
  const files = bundle === undefined ? '' : `, of ${counted(bundle.files, 'file')}`;
  return `${shortDigest(digest)} (${entry}${files})`;
}

function hookWords(job: JobView, { id, outcome }: NonNullable<JobView['decision']>): string {
  const how = job.state === 'settling' ? 'runs' : job.hookFailure === undefined ? 'ran' : 'failed';
  return `${hookName(outcome)} ${how}, das.decision_id ${id}`;
}

/** What its user limits, by the names of the options. */
function limitsText(limits: JobView['limits'] = {}): string | undefined {
  const given = limitOptions.flatMap(([, option, limit]) => {
    const value = limits[limit];
    return value === undefined ? [] : [`${option.slice(2)} ${valueText(limit, value)}`];
  });
  return given.length === 0 ? undefined : given.join(', ');
}

function valueText(limit: string, value: number): string {
  if (limit.endsWith('Bytes')) return sizeText(value);
  return limit.endsWith('Ms') ? duration(value) : grouped(value);
}

const itemsText = ({ committed, failed, total, final }: JobView['items']): string =>
  `${grouped(committed)} done, ${grouped(failed)} failed, of ${grouped(total)}${final ? '' : ' so far'}`;
