import type { Functions } from '@das/contracts';
import { nameOf } from './command.js';
import { parseSubmission, planJob } from './submission.js';

const items = { items: [1] };
const shell = (text: string, more: object = {}) => ({ code: { language: 'command', text }, input: items, ...more });
const nothing: Functions = { split: false, map: false, combine: false, reduce: false, gather: false, main: false };

describe('a submission of a command', () => {
  it('is run by a shell, a line for each item, unless it says otherwise', () => {
    const { command } = parseSubmission(shell('wc -c'));
    expect(command).toEqual({ run: 'shell', words: [], perItem: false, items: 'text', results: 'text' });
  });

  it('is the map of a job with items, and the only step of one without', () => {
    const planned = planJob(parseSubmission(shell('wc -c')), nothing, 1);
    expect(planned).toMatchObject({ functions: { map: true, main: false }, input: { kind: 'blocks' } });
    const once = planJob(parseSubmission({ code: { language: 'command', text: 'date' } }), nothing, 1);
    expect(once).toMatchObject({ functions: { map: false, main: true }, input: { kind: 'none' } });
  });

  it('is shown by its words when these are all there is', () => {
    const { code } = parseSubmission(shell('', { command: { run: 'words', words: ['wc', '-c'] } }));
    expect([code.text, nameOf(code), nameOf({ ...code, text: 'x'.repeat(99) })]).toEqual([
      'wc -c',
      'wc -c',
      `${'x'.repeat(60)}…`,
    ]);
    expect(nameOf({ ...code, filename: 'count.sh' })).toBe('count.sh');
  });

  it.each([
    ['no text', shell(' '), 'code.text'],
    ['no program', shell('', { command: { run: 'words' } }), 'command.words'],
    ['words for a shell', shell('wc', { command: { words: ['-c'] } }), 'command.words'],
    ['NUL', shell('wc \0'), 'code.text'],
    ['NUL in a word', shell('', { command: { run: 'words', words: ['\0'] } }), 'code.text'],
    ['a shell text that no argument holds', shell(`: ${'x'.repeat(131_072)}`), 'code.text'],
    ['items to run for', { ...shell('wc', { command: { perItem: true } }), input: undefined }, 'input'],
    ['a command that is a script', { ...shell('x'), code: { text: 'x' }, command: {} }, 'command'],
    ['another way to run', shell('wc', { command: { run: 'fast' } }), 'command.run'],
  ])('is refused for want of, or for: %s', (_, value, field) => {
    expect(() => parseSubmission(value)).toThrow(
      expect.objectContaining({ details: expect.objectContaining({ field }) }),
    );
  });
});
