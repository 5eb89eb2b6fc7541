import { base64, compileMs, modes, original, ours, text, withOriginal } from './interop/gate.js';
import { Peer, loopbackNetwork, type PeerOptions } from './interop/peer.mjs';
import { SerfAgent } from './interop/serf.js';
import { serfDelegateVersion } from './interop/serf-wire.js';

const [plain, encrypted] = modes;
const otherKey = 'ab'.repeat(32);

for (const { mode, key } of [plain, encrypted]) {
  withOriginal(`a cluster of both kinds, ${mode}, is not disturbed by`, () => {
    const address = loopbackNetwork();
    let go: string[];
    let our1: Peer;
    let go1: Peer;
    let strangers: Peer[] = [];
    let from = { our1: 0, go1: 0 };
    const start = (program: readonly string[], options: Partial<PeerOptions> & { name: string }): Promise<Peer> =>
      Peer.start(program, { bind: address(), profile: 'lan', ...options });

    beforeAll(async () => {
      go = await original();
      our1 = await start(ours, { name: 'our-1', ...(key && { key }) });
      go1 = await start(go, { name: 'go-1', ...(key && { key }) });
      await our1.ask('join', { to: [go1.address] });
      await Promise.all([our1.saw('join', 'go-1'), go1.saw('join', 'our-1')]);
    }, compileMs);
    beforeEach(() => {
      from = { our1: our1.mark, go1: go1.mark };
    });
    afterEach(async () => {
      await Promise.all(strangers.map((stranger) => stranger.kill()));
      strangers = [];
    });
    afterAll(() => Promise.all([our1, go1].map((peer) => peer.kill())));

    async function stranger(
      program: readonly string[],
      options: Partial<PeerOptions> & { name: string },
    ): Promise<Peer> {
      const peer = await start(program, options);
      strangers.push(peer);
      return peer;
    }

    /** News still pass between the two, and until they did nobody came or went. */
    async function undisturbed(): Promise<void> {
      for (const [teller, hearer] of [
        [our1, go1],
        [go1, our1],
      ] as const) {
        const meta = `told at ${teller.mark}`;
        await teller.ask('meta', { data: base64(meta) });
        await hearer.until(
          meta,
          ({ event, node, data }) => event === 'update' && node === teller.name && text(data) === meta,
        );
        expect((await hearer.ask('members')).map(({ name }) => name).sort()).toEqual(['go-1', 'our-1']);
      }
      expect([...our1.told(['join', 'leave'], from.our1), ...go1.told(['join', 'leave'], from.go1)]).toEqual([]);
    }

    it('a node of ours with another key', async () => {
      const intruder = await stranger(ours, { name: 'intruder', key: otherKey });
      await expect(intruder.ask('join', { to: [go1.address] })).rejects.toThrow(/could not join/);
      await expect(intruder.ask('join', { to: [our1.address] })).rejects.toThrow(/could not join/);
      await our1.logged(key === undefined ? /^wire\./ : /^wire\.decrypt: /, { from: from.our1 });
      expect(await intruder.ask('members')).toHaveLength(1);
      await undisturbed();
    });

    it('a node of the original with another key', async () => {
      const intruder = await stranger(go, { name: 'intruder', key: otherKey });
      await expect(intruder.ask('join', { to: [our1.address] })).rejects.toThrow();
      await our1.logged(key === undefined ? /^wire\./ : /^wire\.decrypt: /, { from: from.our1 });
      expect(await intruder.ask('members')).toHaveLength(1);
      await undisturbed();
    });

    it('a node of ours with another label', async () => {
      const intruder = await stranger(ours, { name: 'intruder', label: 'elsewhere', ...(key && { key }) });
      await expect(intruder.ask('join', { to: [go1.address] })).rejects.toThrow(/could not join/);
      await expect(intruder.ask('join', { to: [our1.address] })).rejects.toThrow(/could not join/);
      await our1.logged(/^wire\.label: /, { from: from.our1 });
      expect(await intruder.ask('members')).toHaveLength(1);
      await undisturbed();
    });

    it("a node of ours that claims another's name", async () => {
      const intruder = await stranger(ours, { name: 'go-1', ...(key && { key }) });
      // It may believe that it joined: the others ignore it.
      await intruder.ask('join', { to: [our1.address] }).catch(() => undefined);
      await our1.saw('conflict', 'go-1', { from: from.our1 });
      await undisturbed();
    });

    it("a node of the original that claims another's name", async () => {
      const intruder = await stranger(go, { name: 'our-1', ...(key && { key }) });
      await intruder.ask('join', { to: [go1.address] }).catch(() => undefined);
      await go1.logged(/Conflicting address for our-1/, { from: from.go1 });
      await undisturbed();
    });
  });
}

withOriginal('a Serf agent', () => {
  it('refuses nodes that speak another delegate protocol or have another key, and takes those that fit', async () => {
    const address = loopbackNetwork();
    const { key } = encrypted;
    const agent = await SerfAgent.start({ name: 'serf-1', bind: address(), key });
    const peers: Peer[] = [];
    const start = async (options: Partial<PeerOptions> & { name: string }): Promise<Peer> => {
      const peer = await Peer.start(ours, { bind: address(), profile: 'lan', key, ...options });
      peers.push(peer);
      return peer;
    };
    try {
      const speechless = await start({ name: 'speechless' });
      await expect(speechless.ask('join', { to: [agent.address] })).rejects.toThrow(/delegate protocol version/);
      const keyless = await start({ name: 'keyless', key: otherKey, delegateVersion: serfDelegateVersion });
      await expect(keyless.ask('join', { to: [agent.address] })).rejects.toThrow(/could not join/);
      const fitting = await start({ name: 'fitting', delegateVersion: serfDelegateVersion });
      await fitting.ask('join', { to: [agent.address] });
      await agent.saw('Join', 'fitting');
      expect((await agent.members()).map(({ name }) => name).sort()).toEqual(['fitting', 'serf-1']);
    } finally {
      await Promise.all([agent, ...peers].map((process) => process.kill()));
    }
  });
});
