import { Pager, type Page } from './paging.js';

function counted(length: number): { list: () => Iterator<number>; reads: () => number } {
  let reads = 0;
  function* list(): Generator<number> {
    for (let i = 0; i < length; i++) {
      reads++;
      yield i;
    }
  }
  return { list, reads: () => reads };
}

function readAll(pager: Pager, size: number, list: () => Iterator<number>): number[][] {
  const pages: number[][] = [];
  let cursor = 0;
  do {
    const [next, items]: Page<number> = pager.page('list', cursor, size, list);
    pages.push(items);
    cursor = next;
  } while (cursor !== 0);
  return pages;
}

describe('Pager', () => {
  it.each([
    [0, 3, [[]]],
    [2, 3, [[0, 1]]],
    [3, 3, [[0, 1, 2]]],
    [7, 3, [[0, 1, 2], [3, 4, 5], [6]]],
  ])('cuts %i items into pages of %i', (length, size, pages) => {
    expect(readAll(new Pager(), size, counted(length).list)).toEqual(pages);
  });

  it('reads a list once, however many pages it has', () => {
    const { list, reads } = counted(1000);
    expect(readAll(new Pager(), 10, list)).toHaveLength(100);
    expect(reads()).toBe(1000);
  });

  it('gives a page again, as after a lost reply', () => {
    const pager = new Pager();
    const { list } = counted(10);
    const first = pager.page('list', 4, 4, list);
    expect(pager.page('list', 4, 4, list)).toEqual(first);
    expect(first).toEqual([8, [4, 5, 6, 7]]);
  });

  it('has nothing behind the end', () => {
    expect(new Pager().page('list', 99, 4, counted(10).list)).toEqual([0, []]);
  });

  it('goes on after it had to close the list', () => {
    const pager = new Pager(1);
    const { list } = counted(4);
    pager.page('list', 0, 2, list);
    pager.page('other', 0, 2, list);
    expect(pager.page('list', 2, 2, list)).toEqual([0, [2, 3]]);
  });
});
