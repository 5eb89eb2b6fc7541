import { resolve } from 'node:path';
import type { JobView } from '@das/contracts';
import { newId } from '@das/platform/basics';
import type { Client } from '../client/client.js';
import type { GlobalOptions } from '../client/endpoint.js';
import { followJob, keepingJob } from '../client/job-follower.js';
import type { SubmissionParts } from '../client/multipart.js';
import { submitJob } from '../client/submit.js';
import type { Context } from '../context.js';
import { parseFormat } from '../core/formats.js';
import { type LimitOptions, limitsOf } from '../core/limits.js';
import {
  UsageError,
  parseDurationMs,
  parseParams,
  parseParamsFile,
  parseRange,
  parseTolerate,
  parseWhole,
} from '../core/parse.js';
import { ExitError, exitCodes } from '../errors.js';
import { codeParts } from '../input/code.js';
import { type Upload, openInput } from '../input/input.js';
import { type CommandOptions, programOf } from '../input/program.js';
import { textOf } from '../input/text.js';
import { venvOf } from '../input/venv.js';
import { outcomeLines } from '../output/job.js';
import { progressView } from '../output/progress.js';
import { checkOutput } from '../output/destination.js';
import { copyResults } from './results.js';
import { RunInterrupt } from './run-interrupt.js';

export interface RunOptions extends GlobalOptions, CommandOptions, LimitOptions {
  readonly include?: readonly string[];
  readonly entry?: string;
  readonly input?: string;
  readonly format?: string;
  readonly range?: string;
  readonly param?: readonly string[];
  readonly paramJson?: string;
  readonly itemsPerPart?: string;
  readonly timeout?: string;
  readonly retries?: string;
  readonly tolerate?: string;
  readonly priority?: string;
  readonly concurrency?: string;
  readonly buckets?: string;
  readonly network?: boolean;
  readonly venv?: string;
  readonly name?: string;
  readonly language?: string;
  readonly detach?: boolean;
  readonly output?: string;
}

/** `das run SCRIPT` and `das run --command …`: submits, shows how it goes, prints the result. Ctrl-C cancels the job. */
export async function run(context: Context<RunOptions>, _: string, words: readonly string[]): Promise<void> {
  const { world, options } = context;
  const program = await programOf(words, options, world);
  for (const remark of program.code.remarks ?? []) context.note(remark);
  const spec = { ...(await specOf(context)), ...program.spec };
  const upload =
    options.input === undefined ? undefined : await openInput(options.input, parseFormat(options.format), world);
  await checkOutput(options.output, world);
  if (upload?.empty === true) context.note(`${options.input ?? ''} has no files: the job has no items`);
  const client = await context.client();
  const interrupt = new RunInterrupt({ client, clock: context.clock, err: world.err });
  const deaf = world.onInterrupt(() => interrupt.press());
  try {
    const input = upload && { input: { format: upload.format } };
    const sent = await interrupt.during(codeParts(client, program.code));
    const parts = { spec: { ...spec, ...input, ...sent.spec }, code: sent.code, ...itemsOf(upload) };
    const job = await interrupt.during(submitJob(client, parts, `das-${newId()}`, interrupt));
    interrupt.taken(job.id);
    if (options.detach === true && !interrupt.cancelled) return await context.print(job, job.id);
    if (options.json !== true) world.err(`job ${job.id}`);
    const ended = await keepingJob(job.id, watch(context, client, job, interrupt));
    // From here on an interrupt ends the printing of a result; there is nothing left to cancel.
    deaf();
    await keepingJob(job.id, finish(context, client, ended, interrupt.cancelled));
  } finally {
    deaf();
    interrupt.close();
  }
}

async function watch(
  context: Context<RunOptions>,
  client: Client,
  job: JobView,
  interrupt: RunInterrupt,
): Promise<JobView> {
  const { world, options, clock } = context;
  const view = progressView({ terminal: world.terminal, json: options.json === true, err: world.err, clock });
  try {
    await interrupt.during(client.learn(interrupt.signal));
    return await interrupt.during(followJob(client, job.id, (event) => view.told(event), interrupt.signal));
  } finally {
    view.close();
  }
}

async function finish(context: Context<RunOptions>, client: Client, job: JobView, interrupted: boolean): Promise<void> {
  const { world, options } = context;
  if (options.json === true) world.err(JSON.stringify(job));
  else for (const line of outcomeLines(job)) world.err(line);
  if (job.state === 'succeeded') return copyResults(context, client, job.id, options.output);
  if (options.json !== true && job.state === 'failed') world.err(`  more: das job ${job.id}, das logs ${job.id}`);
  throw new ExitError(interrupted || job.state === 'cancelled' ? exitCodes.cancelled : exitCodes.failed);
}

async function specOf({ options, world }: Context<RunOptions>): Promise<Record<string, unknown>> {
  const {
    input,
    range,
    timeout,
    retries,
    tolerate,
    priority,
    concurrency,
    buckets,
    itemsPerPart,
    network,
    name,
    venv,
  } = options;
  if (input !== undefined && range !== undefined) {
    throw new UsageError('--input and --range were both given', { field: '--range', expected: 'one of them' });
  }
  if (options.detach === true && options.output !== undefined) {
    const hint = 'later: das results ID --output FILE';
    throw new UsageError('--detach leaves before there is a result for --output', { field: '--output', hint });
  }
  if (options.format !== undefined && input === undefined) {
    throw new UsageError('--format needs --input', { field: '--format', expected: '--input FILE|-|DIR|GLOB' });
  }
  if (venv !== undefined && options.command !== undefined)
    throw new UsageError('--venv is for scripts in Python', {
      field: '--venv',
      hint: 'a command names its interpreter',
    });
  const whole = (text: string | undefined, field: string, min: number) =>
    text === undefined ? undefined : parseWhole(text, field, min);
  const spec = {
    name,
    input: range === undefined ? undefined : { range: parseRange(range) },
    params: parseParams(options.param ?? [], await paramsFile(options.paramJson, world.cwd)),
    timeoutMs: timeout === undefined ? undefined : parseDurationMs(timeout, '--timeout'),
    retries: whole(retries, '--retries', 0),
    tolerate: tolerate === undefined ? undefined : parseTolerate(tolerate),
    itemsPerPart: whole(itemsPerPart, '--items-per-part', 1),
    priority: whole(priority, '--priority', 1),
    concurrency: whole(concurrency, '--concurrency', 1),
    buckets: whole(buckets, '--buckets', 1),
    network: network === true ? true : undefined,
    venv: venv === undefined ? undefined : await venvOf(venv, world.cwd),
    limits: limitsOf(options),
  };
  return Object.fromEntries(Object.entries(spec).filter(([, value]) => value !== undefined));
}

async function paramsFile(file: string | undefined, cwd: string): Promise<Record<string, unknown>> {
  if (file === undefined) return {};
  return parseParamsFile(await textOf(resolve(cwd, file), file, '--param-json'), file);
}

const itemsOf = (upload: Upload | undefined): Pick<SubmissionParts, 'input' | 'reopen'> => ({
  input: upload?.body,
  reopen: upload?.reopen,
});
