import { type LogBudget, admitLines, cutLines, droppedNotice, logLimits, newLogBudget } from './log-lines.js';

describe('prints as lines', () => {
  it('cuts at line ends, wherever the text was cut before', () => {
    const first = cutLines('', 'one\ntw');
    expect(first).toEqual({ lines: ['one'], rest: 'tw' });
    expect(cutLines(first.rest, 'o\n\nx')).toEqual({ lines: ['two', ''], rest: 'x' });
  });

  it('cuts a line that is too long, also before it ends', () => {
    const long = 'x'.repeat(logLimits.lineCharsMax);
    expect(cutLines('', `${long}y\n`)).toEqual({ lines: [long, 'y'], rest: '' });
    expect(cutLines('', `${long}y`)).toEqual({ lines: [long], rest: 'y' });
  });
});

describe('the bound on prints', () => {
  const lines = (count: number, text = 'x'): string[] => Array.from({ length: count }, () => text);
  const admitMany = (count: number, perSecond: number): LogBudget => {
    let budget = newLogBudget;
    for (let said = 0; said < count; said += perSecond)
      budget = admitLines(budget, lines(Math.min(perSecond, count - said)), (said / perSecond) * 1000).budget;
    return budget;
  };

  it('keeps a rate, and counts what is beyond it', () => {
    const { budget, kept } = admitLines(newLogBudget, lines(logLimits.linesPerSecondMax + 5), 100);
    expect([kept.length, budget.dropped]).toEqual([logLimits.linesPerSecondMax, 5]);
    expect(admitLines(budget, ['again'], 1100).kept).toEqual(['again']);
  });

  it('keeps a number of lines per attempt', () => {
    const budget = admitMany(logLimits.linesPerAttemptMax + 7, 1000);
    expect([budget.lines, budget.dropped]).toEqual([logLimits.linesPerAttemptMax, 7]);
  });

  it('keeps a number of characters per attempt', () => {
    const long = 'x'.repeat(logLimits.lineCharsMax);
    const { budget } = admitLines(newLogBudget, lines(200, long), 0);
    expect(budget.chars).toBeLessThanOrEqual(logLimits.charsPerAttemptMax);
    expect(budget.dropped).toBe(200 - logLimits.charsPerAttemptMax / logLimits.lineCharsMax);
  });

  it('tells in one line how much was dropped, and nothing when nothing was', () => {
    expect(droppedNotice(newLogBudget)).toBeUndefined();
    expect(droppedNotice({ ...newLogBudget, dropped: 3 })).toMatch(/^… 3 lines dropped/);
  });
});
