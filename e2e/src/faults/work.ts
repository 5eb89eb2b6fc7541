import type { JobView } from '@das/contracts';
import { lines, script, sleepy, until } from '../harness.js';
import type { PartSummary, Rest } from '../rest.js';

/** A job that lasts long enough for a fault, with what it must give. */
export interface Work {
  readonly items: number;
  readonly submission: object;
  readonly expected: string;
}

/** Items that sleep this long each (s), a few to a part; results are the doubled numbers. */
export const work = (items: number, seconds: number, itemsPerPart = 4): Work => ({
  items,
  submission: { code: script(sleepy(seconds)), input: { range: [0, items] }, itemsPerPart },
  expected: lines(items, (index) => index * 2),
});

/** Resolves once a fifth of the items is committed; asserts that no more than four fifths are. */
export async function midway(rest: Rest, id: string, { items }: Work): Promise<JobView> {
  const view = await until('a fifth is committed', async () => {
    const now = await rest.view(id);
    return now.items.committed >= items * 0.2 ? now : undefined;
  });
  expect(view.items.committed).toBeLessThanOrEqual(items * 0.8);
  return view;
}

/** All results in order, none missing or twice; each part has one commit; parts cover the items without gap or overlap. */
export async function expectWhole(rest: Rest, id: string, { items, expected }: Work): Promise<void> {
  const view = await rest.view(id);
  expect(view.failure).toBeUndefined();
  expect(view.state).toBe('succeeded');
  expect(await rest.results(id)).toBe(expected);
  const parts = await rest.parts(id);
  for (const part of parts) expect([part.part, commits(part)]).toEqual([part.part, 1]);
  const ranges = parts.map(({ part }) => rangeOf(part)).sort(([one], [other]) => one - other);
  expect(ranges.map(([from]) => from)).toEqual([0, ...ranges.slice(0, -1).map(([, to]) => to)]);
  expect(ranges.at(-1)?.[1]).toBe(items);
  expectNoReturnOfATerm(parts);
}

const commits = ({ attempts }: PartSummary): number => attempts.filter(({ state }) => state === 'committed').length;

function rangeOf(part: string): [number, number] {
  const [, from, to] = /^map:(\d+)-(\d+)/.exec(part) ?? [];
  return [Number(from), Number(to)];
}

/** Two leaders never both assign: in the store's order of assignments, terms only grow. */
export function expectNoReturnOfATerm(parts: readonly PartSummary[]): void {
  const attempts = parts.flatMap((part) => part.attempts);
  const terms = attempts.sort((one, other) => one.startedAt - other.startedAt).map(({ term }) => term);
  expect(terms).toEqual([...terms].sort((one, other) => one - other));
}

/** Long matrices are for `npm run test:full` and `npm run test:nightly`. */
export const full = ['full', 'nightly'].includes(process.env['DAS_TEST_TIER'] ?? '');

export const numberOf = (node: string): number => Number(node.split('-')[1]);
