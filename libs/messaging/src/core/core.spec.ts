import fc from 'fast-check';
import { nextTry, pauseFirstMs, pauseMaxMs } from './retry.js';
import { SenderSequences } from './sender-sequences.js';
import { subjectMatches } from './subjects.js';

describe('subjectMatches', () => {
  it.each([
    ['a.b', 'a.b', true],
    ['a.*', 'a.b', true],
    ['a.*', 'a', false],
    ['a.*', 'a.b.c', false],
    ['*.b', 'a.b', true],
    ['a.>', 'a.b.c', true],
    ['a.>', 'a', false],
    ['>', 'a', true],
    ['a.>.c', 'a.b.c', false],
    ['a.b', 'a.c', false],
    ['a.b.c', 'a.b', false],
  ])('%s names %s: %s', (pattern, subject, expected) => {
    expect(subjectMatches(pattern, subject)).toBe(expected);
  });
});

describe('SenderSequences', () => {
  it('takes a sender heard from its first word on, in order', () => {
    const heard = new SenderSequences();
    expect([1, 2, 3].map((seq) => heard.heard('n1', 'e', seq))).toEqual(['next', 'next', 'next']);
  });

  it('drops what it has heard', () => {
    const heard = new SenderSequences();
    heard.heard('n1', 'e', 1);
    heard.heard('n1', 'e', 2);
    expect(heard.heard('n1', 'e', 2)).toBe('duplicate');
    expect(heard.heard('n1', 'e', 1)).toBe('duplicate');
  });

  it('notices a lost word, a late start and a restarted sender, each once', () => {
    const heard = new SenderSequences();
    expect(heard.heard('n1', 'e', 4)).toBe('gap');
    expect(heard.heard('n1', 'e', 6)).toBe('gap');
    expect(heard.heard('n1', 'e', 7)).toBe('next');
    expect(heard.heard('n1', 'f', 1)).toBe('gap');
    expect(heard.heard('n1', 'f', 2)).toBe('next');
  });

  it('keeps two instances of one name apart', () => {
    const heard = new SenderSequences();
    heard.heard('n1', 'e', 1);
    heard.heard('n1', 'f', 1);
    expect(heard.heard('n1', 'e', 2)).toBe('next');
    expect(heard.heard('n1', 'f', 2)).toBe('next');
    expect(heard.heard('n1', 'e', 2)).toBe('duplicate');
  });

  it('forgets the sender silent longest beyond its bound, and reports a gap when it speaks again', () => {
    const heard = new SenderSequences(2);
    heard.heard('a', 'e', 1);
    heard.heard('b', 'e', 1);
    heard.heard('a', 'e', 2);
    heard.heard('c', 'e', 1);
    expect(heard.heard('a', 'e', 3)).toBe('next');
    expect(heard.heard('b', 'e', 2)).toBe('gap');
  });

  it('delivers each word of a sender at most once, and reports every loss, whatever is lost or repeated', () =>
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 20 }), { maxLength: 60 }), (arrivals) => {
        const heard = new SenderSequences();
        const delivered: number[] = [];
        for (const seq of arrivals) {
          const verdict = heard.heard('n', 'e', seq);
          if (verdict === 'duplicate') continue;
          expect(verdict === 'gap').toBe(seq !== (delivered.at(-1) ?? 0) + 1);
          delivered.push(seq);
        }
        expect(delivered).toEqual([...new Set(delivered)].sort((a, b) => a - b));
      }),
    ));
});

describe('nextTry', () => {
  it('tries again after what says "no answer", never after an answer', () => {
    for (const code of ['REQUEST_TIMEOUT', 'SERVICE_UNAVAILABLE', 'BUS_UNAVAILABLE']) {
      expect(nextTry(code, 1, 1_000)).toEqual({ again: true, pauseMs: pauseFirstMs });
    }
    for (const code of ['REQUEST_INVALID', 'JOB_NOT_FOUND', 'PAYLOAD_TOO_LARGE', 'STORE_UNAVAILABLE', 'INTERNAL']) {
      expect(nextTry(code, 1, 1_000)).toEqual({ again: false });
    }
  });

  it('pauses longer each time, up to a bound, and never past the deadline', () => {
    const pauses = [1, 2, 3, 4, 5, 6, 7].map((tries) => nextTry('REQUEST_TIMEOUT', tries, 10_000));
    expect(pauses.map((next) => next.again && next.pauseMs)).toEqual([20, 40, 80, 160, 320, pauseMaxMs, pauseMaxMs]);
    expect(nextTry('REQUEST_TIMEOUT', 3, 80)).toEqual({ again: false });
    expect(nextTry('REQUEST_TIMEOUT', 3, 81)).toEqual({ again: true, pauseMs: 80 });
  });
});
