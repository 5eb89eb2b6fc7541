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

/** Takes lines said at `nowMs` in: those that still fit are kept, the others counted. */
export function admitLines(
  before: LogBudget,
  lines: readonly string[],
  nowMs: number,
): { budget: LogBudget; kept: string[] } {
  const second = Math.floor(nowMs / 1000);
  let budget = second === before.second ? before : { ...before, second, linesInSecond: 0 };
  const kept: string[] = [];
  for (const line of lines) {
    const fits = fitting(budget, line);
    if (fits) kept.push(line);
    budget = fits ? admitted(budget, line) : { ...budget, dropped: budget.dropped + 1 };
  }
  return { budget, kept };
}

const fitting = (budget: LogBudget, line: string): boolean =>
  budget.chars + line.length <= logLimits.charsPerAttemptMax &&
  budget.lines < logLimits.linesPerAttemptMax &&
  budget.linesInSecond < logLimits.linesPerSecondMax;

const admitted = (budget: LogBudget, line: string): LogBudget => ({
  ...budget,
  chars: budget.chars + line.length,
  lines: budget.lines + 1,
  linesInSecond: budget.linesInSecond + 1,
});

/** The one line about what was dropped. */
export const droppedNotice = (budget: LogBudget): string | undefined =>
  budget.dropped === 0
    ? undefined
    : `… ${budget.dropped} lines dropped: one attempt may print ${logLimits.linesPerAttemptMax} lines (${logLimits.linesPerSecondMax} per second) and ${logLimits.charsPerAttemptMax} characters`;

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
