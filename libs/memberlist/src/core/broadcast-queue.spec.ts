import { BroadcastQueue } from './broadcast-queue.js';
import { ascii } from '../golden.fixture.js';

const text = (bytes: Uint8Array): string => String.fromCharCode(...bytes);
const queueOf = (limit: number): BroadcastQueue => new BroadcastQueue(() => limit);
const names = (queue: BroadcastQueue): string[] => queue.ordered.map(({ message }) => text(message));

describe('the broadcast queue', () => {
  it('sends the least sent first, of those the longest, of those the newest', () => {
    const queue = queueOf(10);
    for (const message of ['aa', 'b', 'cc', 'ddd']) queue.add({ message: ascii(message) });
    expect(names(queue)).toEqual(['ddd', 'cc', 'aa', 'b']);
    expect(queue.take(0, 3).map(text)).toEqual(['ddd']);
    expect(names(queue)).toEqual(['cc', 'aa', 'b', 'ddd']);
  });

  it('replaces what has the same name and keeps the order of the others', () => {
    const queue = queueOf(10);
    const done: string[] = [];
    for (const name of ['test', 'foo', 'bar'])
      queue.add({ name, message: ascii(name), finished: () => done.push(name) });
    queue.add({ name: 'foo', message: ascii('FOO') });
    expect(done).toEqual(['foo']);
    expect(names(queue)).toEqual(['test', 'FOO', 'bar']);
  });

  it('keeps to its bytes: 80 take four of 18 with overhead 2, three with overhead 3', () => {
    const of18 = (): BroadcastQueue => {
      const queue = queueOf(20);
      for (let i = 1; i <= 4; i++) queue.add({ name: `${i}`, message: ascii(`${i}. this is a test.`.padEnd(18)) });
      return queue;
    };
    expect(of18().take(2, 80)).toHaveLength(4);
    expect(of18().take(3, 80)).toHaveLength(3);
  });

  it('sends each as often as its limit says, tells when it is done, and starts anew', () => {
    const queue = queueOf(3);
    const done: number[] = [];
    for (let i = 0; i < 4; i++) queue.add({ name: `${i}`, message: new Uint8Array(18), finished: () => done.push(i) });
    const rounds = [1, 2, 3, 4, 5].map(() => queue.take(3, 80).length);
    expect(rounds).toEqual([3, 3, 3, 3, 0]);
    expect(done.sort()).toEqual([0, 1, 2, 3]);
    expect(queue.length).toBe(0);
  });

  it('fills a packet with the largest that still fits', () => {
    const queue = queueOf(10);
    for (const length of [50, 30, 20, 19, 5]) queue.add({ message: new Uint8Array(length) });
    expect(queue.take(1, 60).map(({ length }) => length)).toEqual([50, 5]);
    expect(queue.take(1, 60).map(({ length }) => length)).toEqual([30, 20, 5]);
  });

  it('drops from the far end and tells each', () => {
    const queue = queueOf(10);
    const done: string[] = [];
    for (const name of ['a', 'b', 'c', 'd']) queue.add({ name, message: ascii(name), finished: () => done.push(name) });
    queue.take(0, 2);
    queue.prune(2);
    expect(names(queue)).toEqual(['b', 'a']);
    expect(done).toEqual(['c', 'd']);
    queue.reset();
    expect([queue.length, done.length]).toEqual([0, 4]);
  });
});
