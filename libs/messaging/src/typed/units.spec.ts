import { Fault } from '@das/contracts';
import { z } from 'zod';
import { InvalidTransitionError } from '@das/kernel';
import { headersOf, readHeaders } from '../headers.js';
import { faultOf, problemOf, toFault } from '../rpc.js';
import { RunningHandlers } from '../running-handlers.js';
import { RunningRequests } from './running-requests.js';
import { validRequest } from './validate.js';

const never = <T>(): Promise<T> => new Promise(() => undefined);

describe('RunningHandlers', () => {
  it('refuses work beyond its bound at once, and takes work again when some has ended', async () => {
    const running = new RunningHandlers(1);
    let finish: () => void = () => undefined;
    const first = running.track(() => new Promise<void>((resolve) => (finish = resolve)));
    await expect(running.track(async () => 1)).rejects.toMatchObject({ code: 'SERVICE_UNAVAILABLE' });
    finish();
    await first;
    expect(await running.track(async () => 2)).toBe(2);
  });
});

describe('RunningRequests', () => {
  it('remembers no more than its bound; further ones run by themselves', async () => {
    const requests = new RunningRequests<number>(1);
    void requests.run('a', never);
    let runs = 0;
    const act = async (): Promise<number> => ++runs;
    expect(await Promise.all([requests.run('b', act), requests.run('b', act)])).toEqual([1, 2]);
  });
});

describe('validRequest', () => {
  const schema = z.object({
    input: z.union([z.object({ items: z.array(z.number()) }), z.object({ range: z.tuple([z.number(), z.number()]) })]),
  });

  it('names the deepest misfit of the best fitting branch', () => {
    const fault = (() => {
      try {
        return validRequest(schema, { input: { items: [1, 'x'] } }, 'op');
      } catch (error) {
        return error;
      }
    })();
    expect(fault).toMatchObject({ code: 'REQUEST_INVALID', details: { field: 'input.items.1' } });
  });

  it('says in words what is expected and what came', () => {
    expect(() => validRequest(schema, 'text', 'op')).toThrow('op: expected object, got string');
    const one = z.object({ n: z.number() });
    expect(() => validRequest(one, {}, 'op')).toThrow('op: n: expected number, got nothing');
  });
});

describe('headers', () => {
  it('cannot be split by a line break in a value', () => {
    const list = headersOf({ envelope: { id: 'i' }, headers: { Note: 'a\r\nX-Evil: 1' } });
    expect(list).toEqual([
      ['das-id', 'i'],
      ['note', 'a X-Evil: 1'],
    ]);
    expect(readHeaders(list).headers).toEqual({ note: 'a X-Evil: 1' });
  });
});

describe('problem documents', () => {
  it('give back the fault they were made of', () => {
    const fault = new Fault('INPUT_NOT_JSON', 'line 3', {
      line: 3,
      text: '{',
      field: 'input',
      expected: 'JSON',
      hint: 'h',
    });
    expect(faultOf(problemOf(fault))).toMatchObject({
      code: fault.code,
      message: fault.message,
      details: fault.details,
    });
  });

  it('of an unknown code or form are INTERNAL', () => {
    const problem = problemOf(new Fault('JOB_ENDED', 'x'));
    expect(faultOf({ ...problem, code: 'NEW_CODE' }).code).toBe('INTERNAL');
    expect(faultOf('nonsense').code).toBe('INTERNAL');
  });

  it('hide the cause of a defect', () => {
    expect(toFault(new InvalidTransitionError('a', 'b', 'c')).code).toBe('INTERNAL');
    expect(JSON.stringify(problemOf(toFault(new Error('x'))))).not.toContain('stack');
  });
});
