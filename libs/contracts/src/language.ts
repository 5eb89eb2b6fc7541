import { z } from 'zod';
import { limits } from './limits.js';

/** What a script may be written in. */
export const languages = ['python', 'node', 'wasm', 'command'] as const;
export const languageSchema = z
  .enum(languages)
  .describe('python; node: JavaScript or TypeScript; wasm: a WASI command module; command: any program');
export type Language = z.infer<typeof languageSchema>;

/** Those whose code may be a bundle of files. */
export const bundleLanguages = ['python', 'node'] as const satisfies readonly Language[];

/** Endings of file names by language: the one place that knows them. */
export const languageEndings: Readonly<Record<Language, readonly string[]>> = {
  python: ['py'],
  node: ['js', 'mjs', 'cjs', 'ts', 'mts', 'cts'],
  wasm: ['wasm'],
  command: [],
};

/** The language that a file's name tells; undefined: none that is known. */
export function languageOf(filename: string): Language | undefined {
  const ending = /\.([a-z]+)$/i.exec(filename)?.[1]?.toLowerCase() ?? '';
  return languages.find((language) => languageEndings[language].includes(ending));
}

/** Every WebAssembly module begins so. Its bytes travel as base64 wherever the text of a script does. */
export const wasmMagic = [0, 0x61, 0x73, 0x6d] as const;
export const isWasm = (bytes: Uint8Array): boolean => wasmMagic.every((byte, i) => bytes[i] === byte);
/** So large that its base64 is as long as the text of a script may be. */
export const wasmBytesMax = (limits.codeBytesMax / 4) * 3;
