import { crashed, importTimedOut, notImported, raised, timedOut } from './failures.js';

describe('failures in words', () => {
  it.each([
    [{ code: null, signal: 'SIGKILL' }, 'item 5: the worker process was killed by SIGKILL (out of memory?)'],
    [{ code: null, signal: 'SIGSEGV' }, 'item 5: the worker process was killed by SIGSEGV'],
    [{ code: 3, signal: null }, 'item 5: the worker process ended with exit code 3'],
    [{ code: null, signal: null }, 'item 5: the worker process ended with exit code ?'],
  ])('says how a worker ended: %j', (exit, message) => {
    expect(crashed('map', 5, exit)).toMatchObject({ code: 'ITEM_CRASHED', message });
  });

  it('names a step by its kind and an item by its number', () => {
    expect(timedOut('map', 17, 10_000)).toMatchObject({
      code: 'ITEM_TIMEOUT',
      message: 'item 17: no progress for 10 s; raise --timeout',
    });
    expect(timedOut('split', 0, 1_500).message).toBe('split: no progress for 1.5 s; raise --timeout');
    expect(importTimedOut(60_000).message).toContain('within 60 s');
  });

  it('passes on what the script raised, and nothing that is absent', () => {
    const whole = { message: 'm', traceback: 't', hint: 'h', itemText: 'i' };
    expect(raised(whole)).toEqual({ code: 'ITEM_RAISED', ...whole });
    expect(Object.keys(notImported({ message: 'm' }))).toEqual(['code', 'message']);
  });
});
