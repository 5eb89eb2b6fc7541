import { z } from 'zod';

const kib = 1024;
const mib = 1024 * kib;
const gib = 1024 * mib;
const hourMs = 3_600_000;

const whole = (min: number, max: number, what: string): z.ZodOptional<z.ZodNumber> =>
  z.number().int().min(min).max(max).optional().describe(what);

/** What the code of a job may use: bounds that its user sets. Absent: what the node allows, or the default. */
export const resourceLimitsSchema = z
  .strictObject({
    memoryBytes: whole(32 * mib, 1024 * gib, 'memory of a worker and all that it starts (bytes)'),
    cpuMs: whole(1_000, 24 * hourMs, 'processor time of a process in one part (ms, counted in whole seconds)'),
    wallMs: whole(100, 24 * hourMs, 'how long one attempt of a part may run (ms)'),
    processes: whole(1, 32_768, 'processes and threads at a time'),
    fileBytes: whole(kib, 1024 * gib, 'size of one file that is written (bytes)'),
    scratchBytes: whole(mib, 1024 * gib, 'all files of a worker together (bytes)'),
    itemOutputBytes: whole(1, 16 * mib, 'result of one item, or one line of a step, as JSON (bytes)'),
    partOutputBytes: whole(1, 1024 * gib, 'results of one part (bytes)'),
    logBytes: whole(0, 64 * mib, 'what one attempt may print (characters)'),
    logLinesPerSecond: whole(1, 100_000, 'lines that one attempt may print in any one second'),
  })
  .describe('limits of what the code may use');
export type ResourceLimits = z.infer<typeof resourceLimitsSchema>;
