import type { ResourceLimits } from '@das/contracts';
import { UsageError, parseDurationMs, parseWhole } from './parse.js';

/** What limits the code of a job, as it is typed. */
export interface LimitOptions {
  readonly memory?: string;
  readonly cpuTime?: string;
  readonly maxTime?: string;
  readonly processes?: string;
  readonly fileSize?: string;
  readonly scratch?: string;
  readonly itemOutput?: string;
  readonly partOutput?: string;
  readonly logSize?: string;
  readonly logRate?: string;
}

const units: Readonly<Record<string, number>> = { '': 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30, T: 2 ** 40 };

/** `512M`, `1.5G`, `64K` or `1000` (bytes); K is 1024. @throws UsageError. */
export function parseBytes(text: string, field: string): number {
  const match = /^(\d+(?:\.\d+)?)([KMGT]?)(?:i?B)?$/i.exec(text.trim());
  const unit = units[match?.[2]?.toUpperCase() ?? ''];
  if (!match || unit === undefined) {
    throw new UsageError(`${JSON.stringify(text)} is not a size`, {
      field,
      expected: 'a number of bytes, with K, M, G or T if wanted, like 512M',
    });
  }
  return Math.round(Number(match[1]) * unit);
}

type Parse = (text: string, field: string) => number;
const count: Parse = (text, field) => parseWhole(text, field, 1);

/** Each option: the limit that it sets, and how it is read. */
export const limitOptions: readonly (readonly [keyof LimitOptions, string, keyof ResourceLimits, Parse])[] = [
  ['memory', '--memory', 'memoryBytes', parseBytes],
  ['cpuTime', '--cpu-time', 'cpuMs', parseDurationMs],
  ['maxTime', '--max-time', 'wallMs', parseDurationMs],
  ['processes', '--processes', 'processes', count],
  ['fileSize', '--file-size', 'fileBytes', parseBytes],
  ['scratch', '--scratch', 'scratchBytes', parseBytes],
  ['itemOutput', '--item-output', 'itemOutputBytes', parseBytes],
  ['partOutput', '--part-output', 'partOutputBytes', parseBytes],
  ['logSize', '--log-size', 'logBytes', parseBytes],
  ['logRate', '--log-rate', 'logLinesPerSecond', count],
];

/** The limits that were given; undefined: none. @throws UsageError. */
export function limitsOf(options: LimitOptions): ResourceLimits | undefined {
  const given = limitOptions.flatMap(([option, field, limit, parse]) => {
    const text = options[option];
    return text === undefined ? [] : [[limit, parse(text, field)] as const];
  });
  return given.length === 0 ? undefined : Object.fromEntries(given);
}
