import { inCliWords } from './cli-words.js';

describe('a refusal in the words of the command line', () => {
  it('names the option instead of the field', () => {
    const detail = 'the submission: itemsPerPart: Too small: expected number to be >=1';
    expect(inCliWords({ code: 'REQUEST_INVALID', detail, field: 'itemsPerPart' })).toMatchObject({
      detail: '--items-per-part: Too small: expected number to be >=1',
      field: '--items-per-part',
    });
  });

  it('gives hints that can be typed, and leaves out those for other clients', () => {
    expect(inCliWords({ code: 'INPUT_MISSING', detail: 'x', hint: 'send input.items' }).hint).toContain('--range A:B');
    expect(inCliWords({ code: 'X', detail: 'x', hint: 'GET /openapi.json lists the fields' }).hint).toBeUndefined();
    expect(inCliWords({ code: 'JOB_NOT_FOUND', detail: 'x', hint: 'das jobs lists them' }).hint).toBe(
      'das jobs lists them',
    );
  });

  it('leaves fields that have no option', () =>
    expect(inCliWords({ detail: 'key: no', field: 'key' })).toEqual({ detail: 'key: no', field: 'key' }));
});
