import { stat } from 'node:fs/promises';
import { basename, extname, resolve } from 'node:path';
import { languageOf, limits, wasmBytesMax } from '@das/contracts';
import { scriptLanguage } from '../core/language.js';
import { UsageError } from '../core/parse.js';
import { type Code, type CodeOptions, openBundle } from './code.js';
import { bytesOf } from './text.js';
import type { World } from '../world.js';

/** What a job runs, as the API wants it. */
export interface Program {
  readonly code: Code;
  /** Of code that is no Python script. */
  readonly spec: Readonly<Record<string, unknown>>;
}

export interface CommandOptions extends CodeOptions {
  /** Shell text; true: the words that follow are a program and its arguments. */
  readonly command?: string | true;
  readonly perItem?: boolean;
  readonly itemsAs?: string;
  readonly outputFormat?: string;
  readonly language?: string;
}

/** Extensions of programs that are run as they are; others are looked into. */
const programs = new Set(['.sh', '.bash', '.zsh', '.pl', '.rb', '.awk', '.lua', '.r']);

/** The script, the program or the command of `das run`. @throws UsageError. */
export async function programOf(words: readonly string[], options: CommandOptions, world: World): Promise<Program> {
  if (options.command !== undefined) return commandOf(options.command, words, options);
  const [script, ...more] = words;
  if (script === undefined)
    throw new UsageError('there is nothing to run', { field: 'SCRIPT', expected: 'a script, or --command' });
  const bundled = await openBundle(script, options, world);
  if (bundled !== undefined) {
    withoutCommand(script, more, options);
    const given = options.language;
    return { code: given === undefined ? bundled : { ...bundled, language: scriptLanguage(script, given) }, spec: {} };
  }
  const path = resolve(world.cwd, script);
  const bytes = await bytesOf(path, script, 'SCRIPT');
  const code = { filename: basename(script), bytes };
  if (options.language === undefined && (await isProgram(path, bytes))) {
    checkSize(script, bytes, limits.codeBytesMax);
    checkText(script, bytes);
    return { code, spec: specOf('file', more, options) };
  }
  if ((options.language ?? languageOf(script)) !== 'wasm') checkText(script, bytes);
  const language = scriptLanguage(script, options.language);
  checkSize(script, bytes, language === 'wasm' ? wasmBytesMax : limits.codeBytesMax);
  if (language === 'command') return { code, spec: specOf('file', more, options) };
  withoutCommand(script, more, options);
  return { code, spec: { code: { language } } };
}

function commandOf(command: string | true, words: readonly string[], options: CommandOptions): Program {
  if (command === true) {
    const [first = ''] = words;
    if (first === '')
      throw new UsageError('there is no command', {
        field: '--command',
        expected: "--command 'shell text', or --command -- PROGRAM ARGUMENT…",
      });
    return {
      code: { filename: basename(first), bytes: Buffer.from(words.join(' ')) },
      spec: specOf('words', words, options),
    };
  }
  if (words.length > 0)
    throw new UsageError(`${JSON.stringify(words[0])} is one word too many beside a command`, {
      field: '--command',
      expected: 'one of both',
      hint: "quote the whole command: --command 'tool --fast'; or give its words: --command -- tool --fast",
    });
  return { code: { filename: 'command', bytes: Buffer.from(command) }, spec: specOf('shell', [], options) };
}

function specOf(
  run: 'shell' | 'words' | 'file',
  words: readonly string[],
  { perItem, itemsAs, outputFormat }: CommandOptions,
): Program['spec'] {
  const given = {
    perItem,
    items: textOrJson(itemsAs, '--items-as'),
    results: textOrJson(outputFormat, '--output-format'),
  };
  const command = {
    run,
    words,
    ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)),
  };
  return { code: { language: 'command' }, command };
}

function textOrJson(given: string | undefined, field: string): string | undefined {
  if (given === undefined || given === 'text' || given === 'json') return given;
  throw new UsageError(`${JSON.stringify(given)} does not fit`, { field, expected: 'text or json' });
}

function withoutCommand(script: string, more: readonly string[], options: CommandOptions): void {
  const only = Object.entries({
    '--per-item': options.perItem,
    '--items-as': options.itemsAs,
    '--output-format': options.outputFormat,
  }).find(([, value]) => value !== undefined);
  if (only !== undefined)
    throw new UsageError(`${only[0]} is for commands, and ${script} is a script of functions`, { field: only[0] });
  if (more.length === 0) return;
  throw new UsageError(`${JSON.stringify(more[0])}: a script of functions takes no arguments`, {
    field: 'SCRIPT',
    expected: 'one script; arguments follow a program only',
    hint: 'give parameters by --param name=value',
  });
}

/** A file of no known language that says what runs it, or may be executed. */
async function isProgram(path: string, bytes: Buffer): Promise<boolean> {
  const extension = extname(path).toLowerCase();
  if (programs.has(extension)) return true;
  if (languageOf(path) !== undefined) return false;
  return bytes.toString('latin1', 0, 2) === '#!' || ((await stat(path)).mode & 0o111) !== 0;
}

function checkSize(shown: string, bytes: Buffer, bytesMax: number): void {
  if (bytes.length <= bytesMax) return;
  throw new UsageError(`${shown} is too large for a script`, {
    field: 'SCRIPT',
    expected: `at most ${bytesMax} bytes`,
  });
}

function checkText(shown: string, bytes: Buffer): void {
  if (!bytes.includes(0)) return;
  throw new UsageError(`${shown} is not text`, {
    field: 'SCRIPT',
    expected: 'a script',
    hint: 'a program that every node has is run by --command',
  });
}
