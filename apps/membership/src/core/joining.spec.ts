import { RoundTrips } from './round-trips.js';
import { BackOff } from './back-off.js';
import { isNewer } from './key-ring.js';
import { parseSeed } from './seed.js';

it('reads seeds', () => {
  const read = (text: string) => Object.values(parseSeed(text, 7)).join(' ');
  expect(
    ['h', 'h:1', 'n/h', 'n/h:1', '10.0.0.1:2', '[::1]:3', '[::1]', '::1', 'n/fe80::1', 'n/[::1]:4'].map(read),
  ).toEqual([
    ' h 7',
    ' h 1',
    'n/ h 7',
    'n/ h 1',
    ' 10.0.0.1 2',
    ' ::1 3',
    ' ::1 7',
    ' ::1 7',
    'n/ fe80::1 7',
    'n/ ::1 4',
  ]);
});

it('takes keys of a higher edition only, and none when it does not encrypt', () => {
  const ring = { edition: 3, keys: ['k'] };
  expect([2, 3, 4].map((other) => isNewer(other, ring))).toEqual([false, false, true]);
  expect(isNewer(4, { edition: 0, keys: [] })).toBe(false);
});

it('leaves who failed alone for longer each time, and remembers a bounded number of them', () => {
  const backOff = new BackOff(10, 2);
  const pauseAfter = (at: number, maxMs: number): number => {
    backOff.failed('a', at, maxMs);
    let pause = 0;
    while (!backOff.ready('a', at + pause)) pause += 1;
    return pause;
  };
  expect([pauseAfter(0, 35), pauseAfter(100, 35), pauseAfter(200, 35), pauseAfter(300, 5)]).toEqual([10, 20, 35, 10]);
  backOff.done('a');
  expect(pauseAfter(400, 35)).toBe(10);
  for (const name of ['b', 'c']) backOff.failed(name, 400, 35);
  expect(['a', 'b', 'c'].map((name) => backOff.ready(name, 401))).toEqual([true, false, false]);
  backOff.clear();
  expect(backOff.ready('b', 401)).toBe(true);
});

it('keeps the round trip of a present member only, also when an answer comes late', () => {
  const trips = new RoundTrips();
  const after = (act: () => void): number | undefined => (act(), trips.of('a'));
  expect([
    after(() => trips.probed('a', 1)),
    after(() => trips.joined('a')),
    after(() => trips.probed('a', 2)),
    after(() => trips.gone('a')),
    after(() => trips.probed('a', 3)),
    after(() => trips.joined('a')),
  ]).toEqual([undefined, undefined, 2, undefined, undefined, undefined]);
});
