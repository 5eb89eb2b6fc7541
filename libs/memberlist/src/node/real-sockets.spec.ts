import type { Delegates } from '../delegates.js';
import type { Memberlist } from '../memberlist.js';
import { type MemberlistOptions } from '../options.js';
import { createMemberlist } from './create-memberlist.js';

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString();
const bytes = (word: string): Uint8Array => Uint8Array.from(Buffer.from(word));
const running: Memberlist[] = [];

/** Fast times: the machine's own, not the network's, are what these tests wait for. */
const fast = {
  probeIntervalMs: 100,
  probeTimeoutMs: 40,
  gossipIntervalMs: 20,
  tcpTimeoutMs: 2_000,
  bindPort: 0,
  bindAddr: '127.0.0.1',
};

async function start(
  options: Partial<MemberlistOptions> & { name: string },
  delegates: Delegates = {},
): Promise<Memberlist> {
  const node = await createMemberlist({ ...fast, ...options }, delegates);
  running.push(node);
  return node;
}

const addressOf = (node: Memberlist): string => `127.0.0.1:${node.self.port}`;

/** Resolves once something a delegate hears makes it true. */
class Signal {
  #waiting: { readonly holds: () => boolean; readonly resolve: () => void }[] = [];

  readonly check = (): void => {
    const met = this.#waiting.filter(({ holds }) => holds());
    this.#waiting = this.#waiting.filter((waiter) => !met.includes(waiter));
    for (const { resolve } of met) resolve();
  };

  until(holds: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push({ holds, resolve });
      this.check();
    });
  }

  get delegates(): Delegates {
    const { check } = this;
    return {
      onJoin: check,
      onLeave: check,
      onUpdate: check,
      onSuspect: check,
      onRefute: check,
      notifyMessage: check,
      onPing: check,
    };
  }
}

afterEach(async () => {
  await Promise.all(running.splice(0).map((node) => node.shutdown()));
});

describe('three nodes on sockets of this host', () => {
  const key = Uint8Array.from({ length: 32 }, (_, i) => i);

  it.each([
    ['plain', {}],
    ['encrypted and labelled', { secretKey: key, label: 'blue' }],
  ])('join, exchange user messages and state, update, ping and leave: %s', async (_, options) => {
    const signal = new Signal();
    const heard: string[] = [];
    const states: string[] = [];
    let meta = 'one';
    const a = await start(
      { name: 'a', ...options },
      {
        ...signal.delegates,
        notifyMessage: (payload) => {
          heard.push(text(payload));
          signal.check();
        },
        mergeRemoteState: (payload) => states.push(text(payload)),
      },
    );
    const b = await start(
      { name: 'b', ...options },
      { ...signal.delegates, nodeMeta: () => bytes(meta), localState: () => bytes('state of b') },
    );
    const c = await start({ name: 'c', ...options }, signal.delegates);
    expect(await b.join([addressOf(a)])).toBe(1);
    expect(await c.join([`a/${addressOf(a)}`])).toBe(1);
    await signal.until(() => [a, b, c].every((node) => node.members.length === 3));
    expect(states).toContain('state of b');

    await b.sendReliable('a', bytes('over a stream'));
    c.sendBestEffort('a', bytes('in a datagram'));
    await signal.until(() => heard.length === 2);
    expect(heard.sort()).toEqual(['in a datagram', 'over a stream']);

    meta = 'two';
    await b.update(5_000);
    const metaOfB = (node: Memberlist): string => text(node.known.find(({ name }) => name === 'b')?.meta ?? bytes(''));
    await signal.until(() => [a, c].every((node) => metaOfB(node) === 'two'));

    expect(await a.ping('c')).toBeLessThan(1_000);
    await c.leave(5_000);
    await signal.until(() => [a, b].every((node) => node.members.length === 2));
    expect(a.known.find(({ name }) => name === 'c')?.state).toBe('left');
  });

  it('find out that a node was stopped without a word', async () => {
    const signal = new Signal();
    const [a, b, c] = [
      await start({ name: 'a' }, signal.delegates),
      await start({ name: 'b' }, signal.delegates),
      await start({ name: 'c' }),
    ];
    await b.join([addressOf(a)]);
    await c.join([addressOf(a)]);
    await signal.until(() => [a, b].every((node) => node.members.length === 3));
    await c.shutdown();
    await signal.until(() => [a, b].every((node) => node.known.find(({ name }) => name === 'c')?.state === 'dead'));
    expect(a.members.map(({ name }) => name).sort()).toEqual(['a', 'b']);
  });

  it('accuse nobody when their own process stood still', async () => {
    const signal = new Signal();
    const heard: string[] = [];
    const listening = (name: string): Delegates => ({
      ...signal.delegates,
      onSuspect: (member) => heard.push(`${name} suspects ${member.name}`),
      onNote: ({ code }) => {
        if (code === 'paused') heard.push(`${name} paused`);
        signal.check();
      },
    });
    const [a, b] = [await start({ name: 'a' }, listening('a')), await start({ name: 'b' }, listening('b'))];
    await b.join([addressOf(a)]);
    await signal.until(() => a.members.length === 2);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 700);
    await signal.until(() => heard.length >= 2);
    expect(a.healthScore + b.healthScore).toBeGreaterThan(0);
    // Back to health by answered probes, and nobody was accused on the way.
    let probes = 0;
    await signal.until(() => probes++ > 5 && a.healthScore + b.healthScore === 0);
    expect(heard.filter((line) => line.includes('suspects'))).toEqual([]);
  });

  it('refuse to let one join with another key, and say so', async () => {
    const notes: string[] = [];
    const a = await start({ name: 'a', secretKey: key }, { onNote: ({ code }) => notes.push(code) });
    const b = await start({ name: 'b', secretKey: key.slice(0, 16) });
    await expect(b.join([addressOf(a)])).rejects.toMatchObject({ code: 'JOIN_FAILED' });
    expect(notes).toContain('wire.decrypt');
    expect([a.members.length, b.members.length]).toEqual([1, 1]);
  });
});

describe('the sockets', () => {
  it('are free as soon as shutdown resolves', async () => {
    const first = await start({ name: 'a' });
    const { port } = first.self;
    await first.shutdown();
    const second = await start({ name: 'b', bindPort: port });
    expect(second.self.port).toBe(port);
  });

  it('are refused with a clear error while another has the port', async () => {
    const a = await start({ name: 'a' });
    await expect(start({ name: 'b', bindPort: a.self.port })).rejects.toMatchObject({ code: 'ADDRESS_IN_USE' });
  });

  it('tell that nobody listens', async () => {
    const a = await start({ name: 'a' });
    const b = await start({ name: 'b' });
    const gone = addressOf(b);
    await b.shutdown();
    await expect(a.join([gone])).rejects.toThrow(/ECONNREFUSED/);
    await expect(a.join(['no.such.host.invalid:1'])).rejects.toMatchObject({ code: 'JOIN_FAILED' });
  });

  it('name all that is wrong with a configuration', async () => {
    const wrong = start({ name: '', protocolVersion: 6, secretKey: new Uint8Array(5), label: 'x'.repeat(256) });
    await expect(wrong).rejects.toThrow(/protocolVersion is 6.*name.*label.*secretKey/);
  });
});
