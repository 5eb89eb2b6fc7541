import { z } from 'zod';
import { count } from './ids.js';

/** Output that waits for the store: what of it is in memory, and what on disk. */
export const holdSchema = z.object({
  memoryBytes: count('bytes of output in memory'),
  spooledBytes: count('bytes of output on disk'),
  spooled: count('attempts whose output is on disk'),
  torn: count('files of output that could not be used, since the start of the executor'),
  full: z.boolean().describe('so much waits that nothing new starts'),
  notice: z.string().max(1_000).optional().describe('what is wrong, and what to do about it'),
});
export type Hold = z.infer<typeof holdSchema>;
