import { type HoldFigures, holdNotice } from './hold-words.js';

const mib = 1024 * 1024;
const figures = (more: Partial<HoldFigures>): HoldFigures => ({
  ...{ memoryBytes: 3 * mib, memoryBytesMax: 2.5 * mib, full: false, spooledBytes: 9 * mib, spoolBytesMax: 10 * mib },
  ...{ trouble: undefined, folder: '/var/das/spool', ...more },
});

describe('words about output that waits', () => {
  it('are none while memory and disk do as they should', () => expect(holdNotice(figures({}))).toBeUndefined());

  it.each<[Partial<HoldFigures>, string, string]>([
    [
      { full: true },
      'written, holding',
      'nothing new starts: 3.0 MiB of output wait in memory for the store (DAS_HOLD_BYTES_MAX: 2.5 MiB)',
    ],
    [
      { trouble: 'full' },
      'full',
      'output waits in memory, because the spool has no room for it (9.0 MiB of 10.0 MiB): bring the store back, or raise DAS_SPOOL_BYTES_MAX',
    ],
    [
      { trouble: { why: 'no space left on device' } },
      'refused',
      'output waits in memory, because /var/das/spool does not take it (no space left on device): make room there, or name another folder by DAS_SPOOL',
    ],
  ])('say what is wrong and what to do: %p', (more, kind, words) => {
    expect(holdNotice(figures(more))).toEqual({ kind, words });
  });

  it('are joined when both are wrong', () => {
    const { kind, words } = holdNotice(figures({ full: true, trouble: 'full' })) ?? {};
    expect([kind, words?.split('; ').length]).toEqual(['full, holding', 2]);
  });
});
