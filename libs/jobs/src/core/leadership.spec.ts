import { nodeId } from '@das/kernel';
import { hearCoordinator, leave, newLeadership, termOver, termRead, type Leadership } from './leadership.js';

const self = nodeId('node-1');
const idle = newLeadership(self, 'e1');
const message = { leader: self, term: 4, resigned: false, trustMs: 3_000, epoch: 'e1' };
const leading: Leadership = { ...idle, highestTerm: 4, term: 4 };
const hear = (state: Leadership, change: Partial<typeof message> = {}) =>
  hearCoordinator(state, { ...message, ...change }, 1_000);

it('enters office when it is named, and trusts as long as it is told to', () => {
  expect(hear(idle)).toEqual({ state: leading, effects: [{ kind: 'enter', term: 4, trustedUntil: 4_000 }] });
});
it('trusts on when it is named again', () => {
  expect(hear(leading)).toEqual({ state: leading, effects: [{ kind: 'trust', until: 4_000 }] });
});
it('leaves for a new term of its own', () => {
  expect(hear(leading, { term: 6 }).effects).toEqual([
    { kind: 'leave' },
    { kind: 'enter', term: 6, trustedUntil: 4_000 },
  ]);
});
it.each([
  ['another leads', { leader: nodeId('node-2'), term: 5 }],
  ['it resigned', { resigned: true }],
  ['the term was claimed for an earlier instance', { term: 5, epoch: 'e0' }],
])('leaves when %s', (_, change) => {
  const { state, effects } = hear(leading, change);
  expect(state.term).toBeUndefined();
  expect(effects).toEqual([{ kind: 'leave' }]);
  expect(hear(idle, change).effects).toEqual([]);
});
it('believes a lower term only when the store says that it is the current one', () => {
  const { state, effects } = hear(leading, { term: 2 });
  expect(state).toBe(leading);
  expect(effects).toEqual([{ kind: 'askTerm', heard: 2, highestTerm: 4 }]);
  const asked = { heard: 2, highestTerm: 4 };
  expect(termRead(leading, asked, 4)).toBe(leading);
  expect(termRead({ ...leading, highestTerm: 5 }, asked, 2).highestTerm).toBe(5);
  expect(hear(termRead(leading, asked, 2), { term: 2, leader: nodeId('node-2') }).effects).toEqual([{ kind: 'leave' }]);
});
it('leaves when its term is over, but not for the end of an earlier one', () => {
  expect(termOver(leading, 4).effects).toEqual([{ kind: 'leave' }]);
  expect(termOver(leading, 3)).toEqual({ state: leading, effects: [] });
  expect(leave(idle)).toEqual({ state: idle, effects: [] });
});
