import { OutputLimit } from './output-limit.js';

const bytes = (text: string): Uint8Array => Buffer.from(text);

describe('the limit of what a part gives', () => {
  it('takes whole lines until one does not fit, says so once, and takes nothing more', () => {
    let reached = 0;
    const limit = new OutputLimit(7, () => (reached += 1));
    expect(limit.lines(1, bytes('1\n'))).toEqual({ items: 1, bytes: 2 });
    expect(limit.lines(3, bytes('2\n333\n4\n'))).toEqual({ items: 1, bytes: 2 });
    expect(limit.lines(1, bytes('\n'))).toEqual({ items: 0, bytes: 0 });
    expect([limit.fits(0), limit.over, reached]).toEqual([false, true, 1]);
  });

  it('takes all where there is none', () => {
    const limit = new OutputLimit(undefined, () => expect(true).toBe(false));
    expect(limit.lines(2, bytes('1\n2\n'))).toEqual({ items: 2, bytes: 4 });
    expect([limit.fits(1e9), limit.over]).toEqual([true, false]);
  });
});
