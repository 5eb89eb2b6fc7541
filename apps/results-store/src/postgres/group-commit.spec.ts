import { Fault } from '@das/contracts';
import { GroupCommit } from './group-commit.js';

const grouped = (task: string, change: { key?: string; alone?: boolean; bytes?: number } = {}) => ({
  ...{ task, key: task, alone: false, bytes: 1 },
  ...change,
});

describe('group commit', () => {
  /** A runner whose batches end when told. */
  function held() {
    const batches: {
      tasks: readonly string[];
      end: (results?: (string | Error)[]) => void;
      fail: (why: Error) => void;
    }[] = [];
    let arrived: () => void = () => undefined;
    const group = new GroupCommit<string, string>(
      (tasks) =>
        new Promise((resolve, reject) => {
          batches.push({
            tasks,
            end: (results) => resolve(results ?? tasks.map((task) => `${task} done`)),
            fail: reject,
          });
          arrived();
        }),
    );
    const batch = async (no: number) => {
      while (batches.length <= no) await new Promise<void>((resolve) => (arrived = resolve));
      return batches[no]!;
    };
    return { group, batch };
  }

  it('runs at once when idle, and what arrives meanwhile as the next batch', async () => {
    const { group, batch } = held();
    const a = group.submit(grouped('a'));
    const first = await batch(0);
    const [b, c] = [group.submit(grouped('b')), group.submit(grouped('c'))];
    expect(first.tasks).toEqual(['a']);
    first.end();
    const second = await batch(1);
    expect(second.tasks).toEqual(['b', 'c']);
    second.end(['b done', new Error('c refused')]);
    await expect(Promise.allSettled([a, b, c])).resolves.toMatchObject([
      { value: 'a done' },
      { value: 'b done' },
      { reason: { message: 'c refused' } },
    ]);
    await group.idle();
  });

  it('keeps two of one key, and what must be alone, apart, in the order they came', async () => {
    const { group, batch } = held();
    const all = [
      grouped('a1', { key: 'a' }),
      grouped('b'),
      grouped('a2', { key: 'a' }),
      grouped('seal', { alone: true }),
      grouped('a3', { key: 'a' }),
    ].map((task) => group.submit(task));
    const batches: (readonly string[])[] = [];
    for (let no = 0; no < 4; no++) {
      const next = await batch(no);
      batches.push(next.tasks);
      next.end();
    }
    await Promise.all(all);
    expect(batches).toEqual([['a1', 'b'], ['a2'], ['seal'], ['a3']]);
  });

  it('runs the tasks of a failed batch one by one, unless all would fail alike', async () => {
    const { group, batch } = held();
    const [a, b] = [group.submit(grouped('a')), group.submit(grouped('b'))];
    (await batch(0)).fail(new Error('one of them is bad'));
    (await batch(1)).end();
    (await batch(2)).fail(new Error('b is bad'));
    await expect(Promise.allSettled([a, b])).resolves.toMatchObject([
      { value: 'a done' },
      { reason: { message: 'b is bad' } },
    ]);
    const away = [group.submit(grouped('c')), group.submit(grouped('d'))];
    (await batch(3)).fail(new Fault('STORE_UNAVAILABLE', 'away'));
    await expect(Promise.allSettled(away)).resolves.toMatchObject([
      { reason: { code: 'STORE_UNAVAILABLE' } },
      { reason: { code: 'STORE_UNAVAILABLE' } },
    ]);
  });

  it('bounds a batch by count and bytes, and what waits', async () => {
    const { group, batch } = held();
    const mib = 1024 * 1024;
    const large = Array.from({ length: 5 }, (_, i) => group.submit(grouped(`${i}`, { bytes: 3 * mib })));
    const sizes: number[] = [];
    for (let no = 0; no < 3; no++) {
      const next = await batch(no);
      sizes.push(next.tasks.length);
      next.end();
    }
    await Promise.all(large);
    expect(sizes).toEqual([2, 2, 1]);
    const many = Array.from({ length: 300 }, (_, i) => group.submit(grouped(`m${i}`)));
    const [first, second] = [await batch(3), batch(4)];
    expect(first.tasks).toHaveLength(256);
    expect(() => void group.submit(grouped('huge', { bytes: 128 * mib }))).toThrow('too many commits wait');
    first.end();
    (await second).end();
    await Promise.all(many);
    await group.idle();
  });
});
