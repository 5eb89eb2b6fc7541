import { formatIp, parseIp } from './core/address.js';
import { localConfig } from './core/config.js';
import { limits } from './core/limits.js';
import { ascii } from './golden.fixture.js';
import { Lab } from './memberlist.fixture.js';
import type { Memberlist } from './memberlist.js';

const names = (node: Memberlist): string[] => node.members.map(({ name }) => name).sort();

describe('joining', () => {
  it.each([
    ['10.0.0.1', 1],
    ['10.0.0.1:7946', 1],
    ['a/10.0.0.1', 1],
    ['a/10.0.0.1:7946', 1],
    ['seed.example', 1],
    ['seed.example:7946', 1],
    ['a/seed.example', 1],
    ['both.example', 2],
  ])('finds %s: %i contacts', async (address, contacts) => {
    const lab = new Lab();
    lab.hosts.set('seed.example', ['10.0.0.1']).set('both.example', ['10.0.0.1', '10.0.0.3']);
    const [a, b] = [lab.node('a', '10.0.0.1'), lab.node('b', '10.0.0.2')];
    lab.node('c', '10.0.0.3');
    expect(await lab.settle(b.join([address]))).toBe(contacts);
    expect(names(a)).toContain('b');
  });

  it.each([
    ['/10.0.0.1', /empty node name/],
    ['10.0.0.1:99999', /port 99999/],
    ['a/', /expected \[name\/]host/],
    ['nowhere.example', /ENOTFOUND nowhere.example/],
    ['empty.example', /has no address/],
    ['10.0.0.1:1', /connection refused/],
  ])('says what is wrong with %s', async (address, problem) => {
    const lab = new Lab();
    lab.hosts.set('empty.example', []);
    const b = lab.node('b', '10.0.0.2');
    await expect(lab.settle(b.join([address]))).rejects.toMatchObject({
      code: 'JOIN_FAILED',
      message: expect.stringMatching(problem),
    });
  });

  it('is fine when one of several answers, and needs an address', async () => {
    const lab = new Lab();
    const [, b] = [lab.node('a', '10.0.0.1'), lab.node('b', '10.0.0.2')];
    expect(await lab.settle(b.join(['10.0.0.9', '/x', '10.0.0.1']))).toBe(1);
    await expect(lab.settle(b.join([]))).rejects.toThrow(/no address/);
  });

  it('asks for a node name where one is required', async () => {
    const lab = new Lab();
    const [, b] = [lab.node('a', '10.0.0.1'), lab.node('b', '10.0.0.2', { requireNodeNames: true })];
    await expect(lab.settle(b.join(['10.0.0.1']))).rejects.toThrow(/node name is required/);
    expect(await lab.settle(b.join(['a/10.0.0.1']))).toBe(1);
  });

  it('works between IPv6 addresses, with and without brackets', async () => {
    const lab = new Lab();
    const [a, b, c] = ['fd00::1', 'fd00::2', 'fd00::3'].map((ip, i) => lab.node('abc'.charAt(i), ip));
    if (a === undefined || b === undefined || c === undefined) throw new Error('three nodes');
    expect(await lab.settle(b.join(['[fd00::1]:7946']))).toBe(1);
    expect(await lab.settle(c.join(['a/fd00::1']))).toBe(1);
    lab.time.advance(3_000);
    for (const node of [a, b, c]) expect(names(node)).toEqual(['a', 'b', 'c']);
    expect(formatIp(b.self.addr)).toBe('fd00:0:0:0:0:0:0:2');
    expect(await lab.settle(a.ping('c'))).toBeLessThan(10);
  });

  it('names the reason when the keys differ', async () => {
    const lab = new Lab();
    lab.node('a', '10.0.0.1', { secretKey: new Uint8Array(16).fill(1) });
    const b = lab.node('b', '10.0.0.2', { secretKey: new Uint8Array(16).fill(2) });
    await expect(lab.settle(b.join(['10.0.0.1']))).rejects.toThrow(/no installed keys could decrypt/);
  });
});

describe('user messages', () => {
  it('go by name in a datagram or a stream, and to any address, both ways', async () => {
    const lab = new Lab();
    const heard: string[] = [];
    const hears = (name: string): object => ({
      notifyMessage: (bytes: Uint8Array) => heard.push(`${name} ${String.fromCharCode(...bytes)}`),
    });
    const [a, b] = [lab.node('a', '10.0.0.1', {}, hears('a')), lab.node('b', '10.0.0.2', {}, hears('b'))];
    await lab.settle(b.join(['10.0.0.1']));
    for (const [from, to] of [[a, b] as const, [b, a] as const]) {
      from.sendBestEffort(to.self.name, ascii('datagram'));
      from.sendToAddress(to.self, ascii('address'));
      await lab.settle(from.sendReliable(to.self.name, ascii('stream')));
    }
    lab.time.advance(100);
    expect(heard.sort()).toEqual(
      ['a', 'b'].flatMap((name) => ['address', 'datagram', 'stream'].map((way) => `${name} ${way}`)),
    );
  });

  it('to unknown or unreachable members fail with a word', async () => {
    const lab = new Lab();
    const [a, b] = [lab.node('a', '10.0.0.1'), lab.node('b', '10.0.0.2')];
    await lab.settle(b.join(['10.0.0.1']));
    expect(() => a.sendBestEffort('x', ascii('?'))).toThrow(/no member is called "x"/);
    await expect(a.sendReliable('x', ascii('?'))).rejects.toMatchObject({ code: 'UNKNOWN_MEMBER' });
    await b.shutdown();
    await expect(lab.settle(a.sendReliable('b', ascii('?')))).rejects.toMatchObject({ code: 'SEND_FAILED' });
    await expect(lab.settle(a.ping('b'))).rejects.toMatchObject({ code: 'NO_PING_RESPONSE' });
  });
});

describe('a life', () => {
  it('ends by leaving, then by shutdown; both are taken twice', async () => {
    const lab = new Lab();
    const [a, b] = [lab.node('a', '10.0.0.1'), lab.node('b', '10.0.0.2')];
    await lab.settle(b.join(['10.0.0.1']));
    await lab.settle(b.leave(5_000));
    await lab.settle(b.leave(5_000));
    expect([names(a), a.known.find(({ name }) => name === 'b')?.state]).toEqual([['a'], 'left']);
    await Promise.all([b.shutdown(), b.shutdown()]);
    await expect(b.leave(1)).rejects.toMatchObject({ code: 'CLOSED' });
    await expect(lab.settle(b.join(['10.0.0.1']))).rejects.toThrow(/the node was closed/);
  });

  it('keeps nobody waiting after its end', async () => {
    const lab = new Lab();
    const [, b] = [lab.node('a', '10.0.0.1'), lab.node('b', '10.0.0.2')];
    await lab.settle(b.join(['10.0.0.1']));
    await lab.settle(b.leave(5_000));
    await expect(lab.settle(b.update(0))).resolves.toBeUndefined();
    await b.shutdown();
    const calls = [b.ping('a'), b.update(0), b.leave(0), b.sendReliable('a', ascii('?'))];
    const refused = { status: 'rejected', reason: expect.objectContaining({ code: 'CLOSED' }) };
    expect(await lab.settle(Promise.allSettled<unknown>(calls))).toEqual(calls.map(() => refused));
  });

  it('goes on although its delegates throw, even the one that is told of it', async () => {
    const lab = new Lab();
    const heard: string[] = [];
    const fail = (): never => {
      throw new Error('out of order');
    };
    const notifyMessage = (bytes: Uint8Array): void => {
      if (heard.push(String.fromCharCode(...bytes)) < 3) fail();
    };
    const a = lab.node('a', '10.0.0.1', {}, { notifyMessage, onNote: fail });
    const b = lab.node('b', '10.0.0.2');
    await lab.settle(b.join(['10.0.0.1']));
    for (const word of ['one', 'two', 'three']) {
      b.sendBestEffort('a', ascii(word));
      lab.time.advance(100);
    }
    expect(heard).toEqual(['one', 'two', 'three']);
    expect(await lab.settle(Promise.all([a.ping('b'), b.ping('a')]))).toHaveLength(2);
  });

  it('goes on after a question of its was answered by an error', async () => {
    const lab = new Lab();
    const heard: string[] = [];
    const notes: string[] = [];
    let answers: (() => Uint8Array[])[] = [];
    const broadcasts = (): Uint8Array[] => answers.shift()?.() ?? [];
    const a = lab.node('a', '10.0.0.1', {}, { broadcasts, onNote: ({ detail }) => notes.push(detail) });
    const notifyMessage = (bytes: Uint8Array): void => void heard.push(String.fromCharCode(...bytes));
    const b = lab.node('b', '10.0.0.2', {}, { notifyMessage });
    await lab.settle(b.join(['10.0.0.1']));
    const fail = (): never => {
      throw new Error('out of order');
    };
    answers = [fail, fail, () => [ascii('news')]];
    lab.time.advance(5_000);
    expect(notes.filter((detail) => detail.includes('out of order'))).toHaveLength(2);
    expect([heard, names(a), names(b)]).toEqual([['news'], ['a', 'b'], ['a', 'b']]);
  });

  it('says when leaving or updating could not be told in time', async () => {
    const lab = new Lab();
    const [, b] = [lab.node('a', '10.0.0.1'), lab.node('b', '10.0.0.2')];
    await lab.settle(b.join(['10.0.0.1']));
    await expect(lab.settle(b.update(20))).rejects.toMatchObject({ code: 'BROADCAST_TIMEOUT' });
    await expect(lab.settle(b.leave(20))).rejects.toMatchObject({ code: 'BROADCAST_TIMEOUT' });
  });

  it('refuses attributes that are too large, at the start and later', async () => {
    const lab = new Lab();
    let size = limits.metaBytesMax;
    const b = lab.node('b', '10.0.0.2', {}, { nodeMeta: () => new Uint8Array(size) });
    size++;
    await expect(b.update(1)).rejects.toMatchObject({ code: 'META_TOO_LARGE' });
    expect(() => lab.node('c', '10.0.0.3', {}, { nodeMeta: () => new Uint8Array(size) })).toThrow(/513 bytes/);
  });

  it('tells how many broadcasts wait, as often as it is asked to', async () => {
    const lab = new Lab();
    const depths: number[] = [];
    const options = { queueCheckIntervalMs: 1_000, gossipIntervalMs: 0, probeIntervalMs: 3_600_000 };
    const a = lab.node('a', '10.0.0.1', options, { onQueueDepth: (waiting) => depths.push(waiting) });
    lab.time.advance(2_500);
    expect(depths).toEqual([1, 1]);
    const b = lab.node('b', '10.0.0.2', { queueCheckIntervalMs: 0 }, { onQueueDepth: () => depths.push(-1) });
    await lab.settle(b.join(['10.0.0.1']));
    lab.time.advance(3_000);
    // Its own announcement and that of the other: nothing is passed on, as gossip is off.
    expect([depths.slice(2), names(a)]).toEqual([
      [2, 2, 2],
      ['a', 'b'],
    ]);
  });

  it('probes no stream of a member whose delegate says so', async () => {
    const lab = new Lab();
    const delegates = { noStreamPing: (name: string) => name === 'b' };
    const [a, b, c] = [
      lab.node('a', '10.0.0.1', localConfig, delegates),
      lab.node('b', '10.0.0.2', localConfig, { noStreamPing: () => true }),
      lab.node('c', '10.0.0.3', localConfig, { noStreamPing: () => true }),
    ];
    await lab.settle(Promise.all([b.join(['10.0.0.1']), c.join(['10.0.0.1'])]));
    lab.time.advance(2_000);
    const ip = parseIp('10.0.0.1');
    lab.network.faults = { datagramsBlocked: (from, to) => [from, to].some(({ addr }) => String(addr) === String(ip)) };
    lab.time.advance(10_000);
    expect(a.members.map(({ name, state }) => `${name} ${state}`).filter((line) => !line.startsWith('b'))).toEqual(
      expect.arrayContaining(['a alive', 'c alive']),
    );
    expect(a.known.find(({ name }) => name === 'b')?.state).not.toBe('alive');
  });
});
