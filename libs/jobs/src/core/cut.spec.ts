import fc from 'fast-check';
import { learn, nextPartItems, type CutInput } from './cut.js';
import { defaultAssignerConfig as config } from './assigner-state.js';

const input = (overrides: Partial<CutInput>): CutInput => ({
  remaining: 1_000_000,
  slots: 6,
  msPerItem: undefined,
  measuredItems: 0,
  bytesPerItem: 0,
  fixed: undefined,
  ...overrides,
});

describe('nextPartItems', () => {
  it.each<[string, Partial<CutInput>, number]>([
    ['starts small while nothing is known', {}, 16],
    ['leaves something for every slot when few items are left', { remaining: 20 }, 2],
    ['aims at the target duration', { msPerItem: 10, measuredItems: 100 }, 100],
    ['grows at most sixteenfold over what was measured', { msPerItem: 0.001, measuredItems: 16 }, 256],
    ['shrinks towards the end', { msPerItem: 1, measuredItems: 1_000, remaining: 1_200 }, 100],
    ['does not shrink below the least duration', { msPerItem: 1, measuredItems: 1_000, remaining: 60 }, 20],
    ['is bounded by bytes', { msPerItem: 0.001, measuredItems: 100_000, bytesPerItem: 1024 }, 512],
    ['takes at least one item, however large', { bytesPerItem: 10_000_000 }, 1],
    ['obeys the user', { fixed: 7, msPerItem: 0.001, measuredItems: 16 }, 7],
    ['never takes more than is left', { fixed: 7, remaining: 3 }, 3],
    ['survives a cost of nothing', { msPerItem: 0, measuredItems: 1_000_000 }, 1_000_000],
  ])('%s', (_rule, overrides, items) => {
    expect(nextPartItems(input(overrides), config)).toBe(items);
  });

  it('always takes between one and all of the remaining items', () => {
    const inputs = fc.record({
      remaining: fc.integer({ min: 1, max: 1e9 }),
      slots: fc.integer({ min: 0, max: 10_000 }),
      msPerItem: fc.option(fc.double({ min: 0, max: 1e7, noNaN: true }), { nil: undefined }),
      measuredItems: fc.nat(1e6),
      bytesPerItem: fc.double({ min: 0, max: 1e7, noNaN: true }),
      fixed: fc.option(fc.integer({ min: 1, max: 1e6 }), { nil: undefined }),
    });
    fc.assert(
      fc.property(inputs, (some) => {
        const items = nextPartItems(some, config);
        expect(Number.isInteger(items) && items >= 1 && items <= some.remaining).toBe(true);
      }),
    );
  });
});

describe('learn', () => {
  it('takes the first measurement whole and halves the past with each later one', () => {
    expect(learn(undefined, 10, 100)).toBe(10);
    expect(learn(10, 10, 200)).toBe(15);
    expect(learn(10, 0, 200)).toBe(10);
  });
});
