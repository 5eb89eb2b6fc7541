import { z } from 'zod';

/** A word of a command, or a value in the place of one: what Linux takes as one argument, less what it may become with its placeholders. */
const wordCharsMax = 32_768;
const wordsMax = 512;

/** How a job's command is run, beside `code.text`. */
export const commandSchema = z
  .strictObject({
    run: z
      .enum(['shell', 'words', 'file'])
      .default('shell')
      .describe('shell: code.text is for /bin/sh; words: a program and its arguments; file: code.text is the program'),
    words: z
      .array(z.string().max(wordCharsMax))
      .max(wordsMax)
      .readonly()
      .default([])
      .describe('words: the program and its arguments; file: its arguments'),
    perItem: z
      .boolean()
      .default(false)
      .describe('a process for each item instead of a line; so it is, too, where a placeholder like {} stands'),
    items: z
      .enum(['text', 'json'])
      .default('text')
      .describe('text: items that are text come as they are, others as JSON; json: all come as JSON'),
    results: z
      .enum(['text', 'json'])
      .default('text')
      .describe('text: what it writes is text; json: what it writes is JSON'),
  })
  .describe('how a command is run');
export type CommandSpec = z.infer<typeof commandSchema>;
