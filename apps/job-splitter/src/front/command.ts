import { type CommandSpec, Fault, type Functions, type Submission, commandSchema } from '@das/contracts';
import type { Checked, CheckedCode } from './submission.js';

/** The kernel takes no longer text as one argument (bytes; MAX_ARG_STRLEN with its final NUL). */
const shellBytesMax = 131_071;
/** Of a command, as the name of its job (characters). */
const nameCharsMax = 60;

/** A submission whose command is checked and whole. @throws Fault REQUEST_INVALID naming the field. */
export function withCommand(submission: Checked): Checked {
  const { code, command } = submission;
  if (code.language !== 'command') {
    if (command === undefined) return submission;
    throw invalid('command', 'the script is no command', 'code.language "command" beside command');
  }
  const whole = commandSchema.parse(command ?? {});
  const given = code.text;
  const text = whole.run === 'words' && given.trim() === '' ? whole.words.join(' ') : given;
  check(whole, text);
  if (whole.perItem && submission.input === undefined)
    throw new Fault('INPUT_MISSING', 'the command runs once for each item, but the job has no items', {
      field: 'input',
      expected: 'items or a range; without perItem a command may run once for the whole job',
    });
  return { ...submission, code: { ...code, text }, command: whole };
}

function check({ run, words }: CommandSpec, text: string): void {
  if (run === 'words' && (words[0] ?? '') === '')
    throw invalid('command.words', 'there is no program', 'the program and its arguments');
  if (run === 'shell' && words.length > 0)
    throw invalid('command.words', 'shell text takes no words', 'none, or run: "words" or "file"');
  if ([text, ...words].some((word) => word.includes('\0')))
    throw invalid('code.text', 'the command has a NUL character', 'text without NUL');
  if (run === 'shell' && new TextEncoder().encode(text).length > shellBytesMax)
    throw invalid('code.text', 'the shell text is too long', `at most ${shellBytesMax} bytes, or run: "file"`);
}

const nothing = { split: false, combine: false, reduce: false, gather: false };

/** What a command is to its job: `map` where there are items, else one step. */
export const commandFunctions = ({ input }: Submission): Functions => ({
  ...nothing,
  map: input !== undefined,
  main: input === undefined,
});

/** A job's name when its user gives none. */
export function nameOf({ language, filename, text }: CheckedCode): string {
  if (language !== 'command' || filename !== 'job.py') return filename;
  const [first = ''] = text.trim().split('\n');
  return first.length <= nameCharsMax ? first : `${first.slice(0, nameCharsMax)}…`;
}

const invalid = (field: string, why: string, expected: string): Fault =>
  new Fault('REQUEST_INVALID', `${field}: ${why}`, { field, expected });
