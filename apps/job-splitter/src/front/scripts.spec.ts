import { Fault, inspectScript, listMembers } from '@das/contracts';
import type { ServiceContext } from '@das/platform';
import { FakeClock, settled } from '@das/testing';
import { frontLimits } from './config.js';
import { Scripts } from './scripts.js';
import { type Checked, planJob } from './submission.js';

const functions = { split: false, map: true, combine: false, reduce: false, gather: false, main: false };
const submission = (language: 'python' | 'node' = 'python'): Checked => ({
  ...{ code: { language, filename: 'job.py', text: 'def map(item): return item' }, params: {} },
  ...{ venv: '/srv/green', input: { range: [0, 1] } },
});
const lacking = (): Fault =>
  new Fault('CODE_VENV', 'there is no folder /srv/green', { field: 'venv', hint: 'make it' });

describe('a script that wants a virtual environment', () => {
  /** What each executor says, by its node. */
  let says: Record<string, () => unknown>;
  let asked: string[];
  let clock: FakeClock;
  const inspect = (): Promise<unknown> => {
    const members = Object.keys(says).map((node) => ({ node, state: 'alive', services: ['executor'] }));
    const call = async (operation: unknown, request: { venv?: string }, { node }: { node: string }) => {
      if (operation === listMembers) return { body: { members } };
      expect([operation === inspectScript, request.venv]).toEqual([true, '/srv/green']);
      asked.push(node);
      return { body: await says[node]?.() };
    };
    const context = { node: 'node-1', clock, bus: { call }, log: { warn: () => undefined } };
    return new Scripts(context as unknown as ServiceContext).inspect(submission());
  };
  const refuses = (fault: Fault) => () => {
    throw fault;
  };
  beforeEach(() => ([asked, clock] = [[], new FakeClock()]));

  it('is parsed by a node that has it', async () => {
    const other = refuses(lacking());
    says = { 'node-1': other, 'node-2': other, 'node-3': other, 'node-4': other, 'node-5': () => ({ functions }) };
    expect(await inspect()).toMatchObject({ functions });
    expect(asked).toEqual(Object.keys(says));
  });

  it('is refused in the words of all nodes when none has it', async () => {
    says = { 'node-1': refuses(lacking()), 'node-2': refuses(new Fault('CODE_VENV', 'scripts may not read it')) };
    await expect(inspect()).rejects.toMatchObject({
      ...{ code: 'CODE_VENV', status: 400, details: { field: 'venv', hint: 'make it' } },
      message:
        'no node can use the virtual environment: node-1: there is no folder /srv/green; node-2: scripts may not read it',
    });
  });

  it('may be submitted again when a node that may have it did not answer', async () => {
    says = { 'node-1': refuses(lacking()), 'node-2': refuses(new Fault('SERVICE_UNAVAILABLE', 'no answer')) };
    await expect(inspect()).rejects.toMatchObject({ code: 'SERVICE_UNAVAILABLE', retryable: true });
  });

  /** Of the nodes asked: that they have not answered yet. */
  const silent = (count: number): Array<() => void> => {
    const answers: Array<() => void> = [];
    const late = () => new Promise((_, reject) => answers.push(() => reject(lacking())));
    const nodes = Array.from({ length: count }, (_, index) => [`node-${index + 2}`, late]);
    says = { 'node-1': refuses(lacking()), ...Object.fromEntries(nodes) };
    return answers;
  };

  it('is looked for on a few nodes at a time, and one that does not answer holds up no other', async () => {
    const answers = silent(6);
    says['node-8'] = () => ({ functions });
    const inspected = inspect();
    await settled();
    expect(asked).toHaveLength(1 + frontLimits.venvNodesAtOnce);
    for (let rest = 3; rest > 0; rest -= 1) {
      answers.pop()?.();
      await settled();
    }
    expect(await inspected).toMatchObject({ functions });
  });

  it('may be submitted again when not every node could be asked in time', async () => {
    const answers = silent(6);
    const inspected = expect(inspect()).rejects.toMatchObject({ code: 'REQUEST_TIMEOUT', retryable: true });
    await settled();
    clock.advance(frontLimits.inspectOthersMs);
    for (const answer of answers.splice(0)) answer();
    await inspected;
    expect(asked).toHaveLength(1 + frontLimits.venvNodesAtOnce);
  });

  it('is a script in Python', () => {
    expect(planJob(submission(), functions, 1).functions).toEqual(functions);
    expect(() => planJob(submission('node'), functions, 1)).toThrow(/is for scripts in Python, and this is node/);
  });
});
