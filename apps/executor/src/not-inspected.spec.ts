import { NodeUnfitError, NotStartedError, WorkerGoneError } from '@das/execution';
import { notInspected } from './not-inspected.js';

const gone = (code: number | null, signal: 'SIGKILL' | 'SIGSEGV' | null): WorkerGoneError =>
  new WorkerGoneError({ code, signal });

describe('a script that no worker parsed', () => {
  it('ended our own interpreter, and is told so', () => {
    expect(notInspected(gone(null, 'SIGSEGV'), undefined).fault?.message).toContain('nested too deeply');
  });

  it.each([
    ['ended', gone(1, null), 'CODE_VENV'],
    ['crashed', gone(null, 'SIGSEGV'), 'CODE_VENV'],
    ['was killed', gone(null, 'SIGKILL'), 'SERVICE_UNAVAILABLE'],
  ])('is not blamed where the interpreter of an environment %s', (_, error, code) => {
    expect(() => notInspected(error, '/srv/green')).toThrow(
      expect.objectContaining({
        code,
        message: expect.stringContaining('the Python of the virtual environment /srv/green ended before it had parsed'),
      }),
    );
  });

  it.each([
    [new NodeUnfitError('CODE_VENV', 'there is no folder', 'make it'), 'CODE_VENV'],
    [new NodeUnfitError('LANGUAGE_MISSING', 'no node', 'install it'), 'SERVICE_UNAVAILABLE'],
    [new NotStartedError('no memory'), 'SERVICE_UNAVAILABLE'],
  ])('may be parsed by another node, or later: %s', (error, code) => {
    expect(() => notInspected(error, '/srv/green')).toThrow(expect.objectContaining({ code }));
  });

  it('leaves defects as they are', () => {
    const defect = new TypeError('not a function');
    expect(() => notInspected(defect, undefined)).toThrow(defect);
  });
});
