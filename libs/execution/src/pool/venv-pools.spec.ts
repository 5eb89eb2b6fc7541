import { FakeClock, settled } from '@das/testing';
import { type FakeStart, FakeProcess, fakeStart } from '../testing/fake-launch.js';
import { NotStartedError, WorkerGoneError } from '../ports/errors.js';
import { VenvPools, openingMax, venvOpenMs, venvsMax, waitingMax } from './venv-pools.js';
import { WorkerPool } from './worker-pool.js';

const ended = (why: string, exit: WorkerGoneError['exit']): NotStartedError =>
  new NotStartedError(why, { cause: new WorkerGoneError(exit) });

describe('pools of workers by virtual environment', () => {
  let clock: FakeClock;
  let start: FakeStart;
  let pools: VenvPools;
  let made: string[];
  let probe: (folder: string, signal: AbortSignal) => Promise<void>;
  /** What is appended to a folder's key: another is another environment at the same place. */
  let edition: string;
  beforeEach(async () => {
    clock = new FakeClock();
    let pid = 4_000_000;
    start = await fakeStart(clock, () => new FakeProcess((pid += 1)));
    [made, edition] = [[], ''];
    probe = async () => undefined;
    pools = new VenvPools({
      find: async (folder) => ({ folder, interpreter: `${folder}/bin/python3`, key: `${folder}${edition}` }),
      poolOf: ({ key }) => {
        made.push(key);
        return new WorkerPool({ ...start, slots: 1, atRest: 0 });
      },
      probe: ({ folder }, signal) => probe(folder, signal),
      clock,
    });
  });
  afterEach(async () => {
    await pools.close();
    await start.close();
    expect([clock.pending, pools.size]).toEqual([0, 0]);
  });
  let jobs = 0;
  const acquire = (folder: string) => pools.acquire(folder, { job: `j-${(jobs += 1)}`, generation: 1 });
  const use = async (folder: string): Promise<void> => pools.release(await acquire(folder));
  const some = (count: number): string[] => Array.from({ length: count }, (_, number) => `/v${number}`);

  it('are made once, when a job first wants one, however many come at a time', async () => {
    const workers = await Promise.all([acquire('/a'), acquire('/a')]);
    expect([made, workers[0] === workers[1]]).toEqual([['/a'], false]);
    await use('/b');
    await use('/a');
    expect(made).toEqual(['/a', '/b']);
  });

  it('are made anew for an environment that was made anew', async () => {
    await use('/a');
    edition = '2';
    await use('/a');
    expect(made).toEqual(['/a', '/a2']);
  });

  it('end when there are too many, the one used longest ago first', async () => {
    const names = some(venvsMax);
    for (const name of names) await use(name);
    await use(names[0]!);
    await use('/more');
    await use(names[0]!);
    expect(made).toEqual([...names, '/more']);
    await use(names[1]!);
    expect(made.slice(-1)).toEqual([names[1]]);
  });

  it('never end while a part runs in them', async () => {
    const held = await acquire('/held');
    for (const name of some(venvsMax + 2)) await use(name);
    expect(held.alive).toBe(true);
    pools.release(held);
    await use('/held');
    expect(made.filter((name) => name === '/held')).toHaveLength(1);
    for (const name of some(venvsMax)) await use(`${name}x`);
    await held.gone;
  });

  it('count a worker that died as given back', async () => {
    const held = await acquire('/held');
    held.kill();
    await held.gone;
    for (const name of some(venvsMax)) await use(name);
    await use('/held');
    expect(made.filter((name) => name === '/held')).toHaveLength(2);
  });

  it('are not kept of an environment that does not run, in the words of its interpreter', async () => {
    probe = () => Promise.reject(ended('it is Python 2.7.18', { code: 1, signal: null }));
    await expect(acquire('/old')).rejects.toMatchObject({
      failure: 'CODE_VENV',
      message: expect.stringContaining('/old does not run where scripts run: it is Python 2.7.18'),
    });
    probe = () => Promise.reject(ended('killed', { code: null, signal: 'SIGKILL' }));
    await expect(acquire('/old')).rejects.toMatchObject({ code: 'EXECUTION_NOT_STARTED' });
    probe = async () => undefined;
    expect((await acquire('/old')).alive).toBe(true);
  });

  const gone = (code: number) => new WorkerGoneError({ code, signal: null });
  it.each([
    ['ran out of memory', new NotStartedError('MemoryError', { cause: gone(1) })],
    ['did not become the interpreter', new NotStartedError('OSError: [Errno 12] …', { cause: gone(70) })],
    ['could not read a file', new NotStartedError('OSError: [Errno 5] Input/output error', { cause: gone(1) })],
    ['was late', new NotStartedError('it did not answer', { cause: new Error('late') })],
  ])('may be had later where the first worker %s', async (_, error) => {
    probe = () => Promise.reject(error);
    await expect(acquire('/a')).rejects.toBe(error);
  });

  it('are not had where no system call runs the interpreter', async () => {
    const why = 'PermissionError: [Errno 13] Permission denied';
    probe = () => Promise.reject(new NotStartedError(why, { cause: gone(70) }));
    await expect(acquire('/a')).rejects.toMatchObject({ failure: 'CODE_VENV', message: expect.stringContaining(why) });
  });

  /** What is being opened, by folder: to be let through. */
  const held = (): Map<string, () => void> => {
    const opening = new Map<string, () => void>();
    probe = (folder, signal) =>
      new Promise((resolve, reject) => {
        const end = (act: () => void) => () => {
          opening.delete(folder);
          act();
        };
        opening.set(folder, end(resolve));
        signal.addEventListener(
          'abort',
          end(() => reject(signal.reason as Error)),
        );
      });
    return opening;
  };
  const script = { language: 'python', filename: 'j.py', text: '' } as const;

  it('are opened two at a time; parts wait for their turn, and parsers, too, as long as few do', async () => {
    const opening = held();
    const parts = some(openingMax + waitingMax).map((name) => acquire(name));
    await settled();
    expect([...opening.keys()]).toEqual(some(openingMax));
    await expect(pools.inspect('/more', script)).rejects.toMatchObject({
      ...{ code: 'EXECUTION_NOT_STARTED', message: expect.stringContaining('later') },
    });
    const last = acquire('/last');
    opening.get('/v1')?.();
    await parts[1];
    await settled();
    expect([...opening.keys()]).toEqual(['/v0', `/v${openingMax}`]);
    let had = false;
    const all = Promise.all([...parts, last]).finally(() => (had = true));
    while (!had) {
      for (const end of opening.values()) end();
      await settled();
    }
    expect((await all).every(({ alive }) => alive)).toBe(true);
  });

  it('are not waited for when opening takes too long, and may be had later', async () => {
    const opening = held();
    const late = acquire('/late');
    late.catch(() => undefined);
    await settled();
    clock.advance(venvOpenMs);
    await expect(late).rejects.toMatchObject({ code: 'EXECUTION_NOT_STARTED' });
    expect(opening.size).toBe(0);
    probe = async () => undefined;
    expect((await acquire('/late')).alive).toBe(true);
  });

  it('start nothing once they are closed, and are closed when what was being opened has ended', async () => {
    let end = (): void => undefined;
    let aborted = false;
    probe = (_, signal) => {
      signal.addEventListener('abort', () => (aborted = true));
      return new Promise((resolve) => (end = resolve));
    };
    const late = acquire('/late');
    late.catch(() => undefined);
    await settled();
    let over = false;
    const closing = pools.close().then(() => (over = true));
    await settled();
    expect([aborted, over]).toEqual([true, false]);
    end();
    await closing;
    await expect(late).rejects.toThrow('closed');
    expect(pools.size).toBe(0);
    await expect(acquire('/later')).rejects.toThrow('closed');
  });
});
