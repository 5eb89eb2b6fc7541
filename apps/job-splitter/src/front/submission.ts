import {
  Fault,
  type Functions,
  type InputKind,
  type JobLimits,
  type Language,
  type Submission,
  type Tolerance,
  bundleLanguages,
  jobLimitsSchema,
  languageOf,
  languageSchema,
  languages,
  limits,
  submissionSchema,
  shapeFault,
} from '@das/contracts';
import { itemsMax } from './blocks.js';
import { commandFunctions, withCommand } from './command.js';

/** Parameters travel in every assignment, so they stay small; data belongs into items. */
export const paramsBytesMax = 64 * 1024;

/** Code of one form, in a language that we know. */
export interface CheckedCode {
  /** Undefined: of a bundle, as its entry will tell. */
  readonly language: Language | undefined;
  readonly filename: string;
  /** Empty: it is a bundle. */
  readonly text: string;
  readonly bundle?: string | undefined;
  readonly entry?: string | undefined;
}
export type Checked = Submission & { readonly code: CheckedCode };

/** @throws Fault REQUEST_INVALID naming the field, SCRIPT_LANGUAGE, SCRIPT_EMPTY. */
export function parseSubmission(value: unknown, archive = false): Checked {
  const parsed = submissionSchema.safeParse(value);
  if (!parsed.success) throw shapeFault(parsed.error, 'the submission', hintFor(parsed.error.issues[0]?.path));
  const submission = withCommand({ ...parsed.data, code: checkCode(parsed.data.code, archive) });
  if (!archive && submission.code.bundle === undefined) checkText(submission.code);
  checkParams(submission.params);
  if (submission.input !== undefined && 'range' in submission.input) checkRange(submission.input.range);
  return submission;
}

function hintFor(path: readonly PropertyKey[] | undefined): string | undefined {
  if (path?.[0] === 'code') return 'send the script as code.text, or as the part `code` of a multipart request';
  if (path?.[0] === 'input')
    return '{"items":[…]}, {"range":[from,to]} or {"format":"ndjson"|"lines"} with the part `input`';
  return undefined;
}

function checkCode({ text, bundle, ...code }: Submission['code'], archive: boolean): CheckedCode {
  const bundled = archive || bundle !== undefined;
  const language = checkLanguage(code, bundled);
  checkForm({ ...code, text, bundle }, bundled);
  if (!bundled) return { language, filename: code.filename, text: text ?? '' };
  if (language === undefined || bundleLanguages.some((known) => known === language))
    return { language, filename: code.filename, text: '', bundle, entry: code.entry };
  throw new Fault('REQUEST_INVALID', `the language ${language} has no bundles`, {
    field: 'code.language',
    expected: bundleLanguages.join(', '),
    hint: 'a script of the bundle may start its programs',
  });
}

/** Undefined: the entry of the bundle will tell. */
function checkLanguage(
  { language, filename }: Pick<CheckedCode, 'filename'> & { language?: string | undefined },
  bundled: boolean,
): Language | undefined {
  if (bundled && language === undefined) return undefined;
  const known = languageSchema.safeParse(language ?? languageOf(filename) ?? 'python');
  if (known.success) return known.data;
  throw new Fault('SCRIPT_LANGUAGE', `the language ${JSON.stringify((language ?? '').slice(0, 40))} is not known`, {
    field: 'code.language',
    expected: languages.join(', '),
  });
}

/** One of text and bundle. */
function checkForm(code: Submission['code'], bundled: boolean): void {
  if (bundled && code.text !== undefined) {
    throw new Fault('REQUEST_INVALID', 'the code is a text and a bundle', {
      field: 'code',
      expected: 'one of code.text, code.bundle and the part `code`',
    });
  }
  if (!bundled && code.entry !== undefined) {
    throw new Fault('REQUEST_INVALID', 'code.entry names a file of a bundle, and there is none', {
      field: 'code.entry',
      expected: 'code.bundle, or an archive as the part `code`',
    });
  }
  if (!bundled && code.text === undefined) {
    throw new Fault('REQUEST_INVALID', 'the submission has no script', {
      field: 'code.text',
      expected: 'code.text, code.bundle, or the part `code` of a multipart request',
      hint: hintFor(['code']),
    });
  }
}

function checkText({ filename, text }: CheckedCode): void {
  if (text.trim() === '') {
    throw new Fault('SCRIPT_EMPTY', `the script ${filename} is empty`, {
      field: 'code.text',
      expected: 'a script that defines map(item) or main(params)',
    });
  }
}

function checkParams(params: Submission['params']): void {
  const bytes = new TextEncoder().encode(JSON.stringify(params)).length;
  if (bytes <= paramsBytesMax) return;
  throw new Fault('REQUEST_INVALID', `the parameters have ${bytes} bytes as JSON`, {
    field: 'params',
    expected: `at most ${paramsBytesMax} bytes`,
    hint: 'send data as items, or put it where every node can read it',
  });
}

function checkRange([from, to]: readonly [number, number]): void {
  const safe = Number.isSafeInteger(from) && Number.isSafeInteger(to);
  if (safe && from <= to && to - from <= itemsMax) return;
  throw new Fault('REQUEST_INVALID', `the range ${from}:${to} is not valid`, {
    field: 'input.range',
    expected: `from ≤ to, at most ${itemsMax} integers, none beyond 2^53`,
  });
}

/** What a checked submission means, once the script's functions are known. */
export interface JobPlan {
  /** Only those that take part: `main` beside `map` is the script's own affair. */
  readonly functions: Functions;
  readonly input: InputKind;
  /** Items come as blocks: inline or uploaded. */
  readonly blocks: boolean;
  readonly limits: JobLimits;
}

/**
 * Decides where a job's items come from and checks that script and submission fit each other.
 * @throws Fault SCRIPT_NO_FUNCTION | INPUT_MISSING | INPUT_UNEXPECTED | REQUEST_INVALID.
 */
export function planJob(submission: Checked, defined: Functions, buckets: number): JobPlan {
  const { code, venv } = submission;
  if (venv !== undefined) checkVenv(code);
  const functions = code.language === 'command' ? commandFunctions(submission) : takingPart(defined, code);
  const input = inputOf(submission.input, functions);
  return {
    functions,
    input,
    blocks: input.kind === 'blocks',
    limits: limitsOf(submission, functions.reduce ? (submission.buckets ?? buckets) : 1),
  };
}

function checkVenv({ language }: CheckedCode): void {
  if (language === 'python') return;
  throw new Fault(
    'REQUEST_INVALID',
    `a virtual environment is for scripts in Python, and this is ${language ?? 'none'}`,
    {
      field: 'venv',
      expected: 'a job whose language is python',
    },
  );
}

const mainOnly: Functions = { split: false, map: false, combine: false, reduce: false, gather: false, main: true };

const examples: Readonly<Record<Language, string>> = {
  python: 'define def map(item): … at the top level of the script',
  node: 'export function map(item) { … } where it can be seen: a name that is only computed while the script runs is not found',
  wasm: 'build a WASI command',
  command: 'give the job items, or a command that runs once',
};

function takingPart(defined: Functions, { language, filename }: CheckedCode): Functions {
  const { on_success, on_failure } = defined;
  if (!defined.map && defined.main) return { ...mainOnly, on_success, on_failure };
  if (!defined.map) {
    throw new Fault('SCRIPT_NO_FUNCTION', `${filename} defines neither map nor main`, {
      field: 'code.text',
      expected:
        'map(item), or main(params); and if wanted split(params), reduce(key, values), combine(key, values), gather(results), on_success(results), on_failure(error)',
      hint: examples[language ?? 'python'],
    });
  }
  if (defined.combine && !defined.reduce) {
    throw new Fault('REQUEST_INVALID', `${filename} defines combine without reduce`, {
      field: 'code.text',
      expected: 'reduce(key, values) beside combine(key, values)',
    });
  }
  return { ...defined, main: false };
}

function inputOf(input: Submission['input'], functions: Functions): InputKind {
  if (input !== undefined && functions.main)
    throw unexpected('the script defines only main(params), which takes no items');
  if (input !== undefined && functions.split)
    throw unexpected('the script defines split(params); remove it or the input');
  if (functions.main) return { kind: 'none' };
  if (functions.split) return { kind: 'split' };
  if (input === undefined) {
    throw new Fault('INPUT_MISSING', 'the script defines map(item), but the job has no items', {
      field: 'input',
      expected: 'items, a range, or a script that defines split(params)',
      hint: 'send input.items, input.range or the part `input`, or define split(params) in the script',
    });
  }
  return 'range' in input ? { kind: 'range', from: input.range[0], to: input.range[1] } : { kind: 'blocks' };
}

function unexpected(why: string): Fault {
  return new Fault('INPUT_UNEXPECTED', why, { field: 'input', expected: 'no input' });
}

function limitsOf(submission: Submission, buckets: number): JobLimits {
  const { timeoutMs, retries, itemsPerPart, priority, concurrency, tolerate, limits: resources } = submission;
  const given = {
    timeoutMs,
    retries,
    itemsPerPart,
    priority,
    concurrency,
    buckets,
    resources,
    tolerate: tolerate === undefined ? undefined : toleranceOf(tolerate),
  };
  const parsed = jobLimitsSchema.safeParse(
    Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)),
  );
  if (!parsed.success) throw shapeFault(parsed.error, 'the submission');
  return parsed.data;
}

/** `"5%"` is a share of all items, a number is a number of items. */
export function toleranceOf(text: number | string): Tolerance {
  if (typeof text === 'number') return { items: text };
  const percent = Number(text.slice(0, -1));
  if (percent > 100) {
    throw new Fault('REQUEST_INVALID', `tolerate: ${text} of the items cannot fail`, {
      field: 'tolerate',
      expected: 'at most 100%',
    });
  }
  return { share: percent / 100 };
}

/** Buckets when the user names none: two per slot of the cluster, so that reducers of unequal size still share well. */
export function defaultBuckets(slots: number): number {
  return Math.min(64, Math.max(1, 2 * slots));
}

/** A JSON body larger than this is refused before it is parsed: what may stand beside the items, and room for a few of these. */
export const jsonBodyBytesMax = limits.specBytesMax * 4;
