import type { Bounds } from './bounds.js';

/** One attempt may say so much; then one line says how much was dropped. */
export const logLimits = {
  lineCharsMax: 8_000,
  charsPerAttemptMax: 1_000_000,
  linesPerAttemptMax: 20_000,
  /** Lines in any one second. */
  linesPerSecondMax: 4_000,
} as const;

/** What one attempt has said so far; never changed in place. */
export interface LogBudget {
  readonly chars: number;
  readonly lines: number;
  readonly second: number;
  readonly linesInSecond: number;
  readonly dropped: number;
}
export const newLogBudget: LogBudget = { chars: 0, lines: 0, second: 0, linesInSecond: 0, dropped: 0 };

/** What one attempt may print. */
export type LogBounds = Pick<Bounds, 'logBytes' | 'logLinesPerSecond'>;
const boundsDefault: LogBounds = {
  logBytes: logLimits.charsPerAttemptMax,
  logLinesPerSecond: logLimits.linesPerSecondMax,
};

/** So many lines have a cost of their own, however short they are: one for each 50 characters that are allowed. */
const linesMax = ({ logBytes }: LogBounds): number => Math.max(logLimits.linesPerAttemptMax, Math.ceil(logBytes / 50));

/** Takes lines said at `nowMs` in: those that still fit are kept, the others counted. */
export function admitLines(
  before: LogBudget,
  lines: readonly string[],
  nowMs: number,
  bounds: LogBounds = boundsDefault,
): { budget: LogBudget; kept: string[] } {
  const second = Math.floor(nowMs / 1000);
  let budget = second === before.second ? before : { ...before, second, linesInSecond: 0 };
  const kept: string[] = [];
  for (const line of lines) {
    const fits = fitting(budget, line, bounds);
    if (fits) kept.push(line);
    budget = fits ? admitted(budget, line) : { ...budget, dropped: budget.dropped + 1 };
  }
  return { budget, kept };
}

const fitting = (budget: LogBudget, line: string, bounds: LogBounds): boolean =>
  budget.chars + line.length <= bounds.logBytes &&
  budget.lines < linesMax(bounds) &&
  budget.linesInSecond < bounds.logLinesPerSecond;

const admitted = (budget: LogBudget, line: string): LogBudget => ({
  ...budget,
  chars: budget.chars + line.length,
  lines: budget.lines + 1,
  linesInSecond: budget.linesInSecond + 1,
});

/** The one line about what was dropped. */
export const droppedNotice = (budget: LogBudget, bounds: LogBounds = boundsDefault): string | undefined =>
  budget.dropped === 0
    ? undefined
    : `… ${budget.dropped} lines dropped: one attempt may print ${linesMax(bounds)} lines (${bounds.logLinesPerSecond} per second; --log-rate) and ${bounds.logBytes} characters (--log-size)`;

/** Cuts text into lines; what follows the last line end is `rest`. A line too long is cut into several. */
export function cutLines(rest: string, text: string): { lines: string[]; rest: string } {
  const pieces = (rest + text).split('\n');
  const tail = pieces.pop() ?? '';
  const lines = pieces.flatMap(cutLong);
  const cut = cutLong(tail);
  return { lines: [...lines, ...cut.slice(0, -1)], rest: cut.at(-1) ?? '' };
}

function cutLong(line: string): string[] {
  if (line.length <= logLimits.lineCharsMax) return [line];
  const pieces: string[] = [];
  for (let at = 0; at < line.length; at += logLimits.lineCharsMax)
    pieces.push(line.slice(at, at + logLimits.lineCharsMax));
  return pieces;
}
