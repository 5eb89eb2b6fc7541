import type { Problem } from '@das/contracts';

/** What the REST interface calls a field, and what the command line calls it. */
const options: Readonly<Record<string, string>> = {
  buckets: '--buckets',
  code: 'SCRIPT',
  'code.language': 'SCRIPT',
  'code.text': 'SCRIPT',
  command: '--command',
  'command.words': '--command',
  concurrency: '--concurrency',
  input: '--input',
  'input.range': '--range',
  itemsPerPart: '--items-per-part',
  limit: '--limit',
  'limits.cpuMs': '--cpu-time',
  'limits.fileBytes': '--file-size',
  'limits.itemOutputBytes': '--item-output',
  'limits.logBytes': '--log-size',
  'limits.logLinesPerSecond': '--log-rate',
  'limits.memoryBytes': '--memory',
  'limits.partOutputBytes': '--part-output',
  'limits.processes': '--processes',
  'limits.scratchBytes': '--scratch',
  'limits.wallMs': '--max-time',
  name: '--name',
  params: '--param',
  priority: '--priority',
  retries: '--retries',
  state: '--state',
  timeoutMs: '--timeout',
  tolerate: '--tolerate',
};

/** Hints by code that mean something else, or nothing, to who types commands. */
const hints: Readonly<Record<string, string>> = {
  INPUT_MISSING: 'give --input FILE or --range A:B, or define def split(params) in the script',
  JOB_UNFINISHED: 'das results --follow reads results as they come',
};
const speaksHttp = /\/openapi\.json|\/v1\/|multipart|\?follow/;

/** What an error tells: a problem document, or the few fields of one that our own errors have. */
export type Told = Partial<Problem> & Pick<Problem, 'detail'>;

/** An error in the words of the command line; what is in them already stays. */
export function inCliWords(told: Told): Told {
  const { field, detail, hint, ...rest } = told;
  const option = field === undefined ? undefined : options[field];
  const help = hints[told.code ?? ''] ?? (hint !== undefined && speaksHttp.test(hint) ? undefined : hint);
  return {
    ...rest,
    detail: option === undefined || field === undefined ? detail : detail.replace(about(field), `${option}: `),
    ...(field === undefined ? {} : { field: option ?? field }),
    ...(help === undefined ? {} : { hint: help }),
  };
}

/** `the submission: retries: …`, as every complaint about a field begins. */
const about = (field: string): RegExp =>
  new RegExp(`^(?:the (?:submission|query): )?${field.replaceAll('.', '\\.')}: `);
