import { scriptLanguage } from './language.js';
import type { UsageError } from './parse.js';

describe('the language of a script', () => {
  it.each([
    ['job.py', 'python'],
    ['a/b.JS', 'node'],
    ['job.mjs', 'node'],
    ['job.cjs', 'node'],
    ['job.ts', 'node'],
    ['job.mts', 'node'],
    ['filter.wasm', 'wasm'],
  ])('of %s is %s', (script, language) => {
    expect(scriptLanguage(script, undefined)).toBe(language);
  });

  it('is the one that was given, whatever the name says', () => {
    expect(scriptLanguage('job.py', 'node')).toBe('node');
    expect(scriptLanguage('job', 'python')).toBe('python');
  });

  it('that nothing tells is asked for, with what is known', () => {
    expect(() => scriptLanguage('job.pl', undefined)).toThrow('nothing tells what job.pl is written in');
    expect(() => scriptLanguage('job', 'perl')).toThrow('"perl" is not known');
    let told: unknown;
    try {
      scriptLanguage('job.pl', undefined);
    } catch (thrown) {
      told = (thrown as UsageError).details;
    }
    expect(told).toMatchObject({
      expected: expect.stringContaining('.py, .js, .mjs'),
      hint: expect.stringContaining('python|node|wasm'),
    });
  });
});
