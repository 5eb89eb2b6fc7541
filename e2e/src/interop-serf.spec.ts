import { SerfAgent } from './interop/serf.js';
import { modes, ours, withOriginal } from './interop/gate.js';
import { Peer, loopbackNetwork } from './interop/peer.mjs';
import { decodeTags, encodeLeaveIntent, encodeTags, serfDelegateVersion } from './interop/serf-wire.js';

/** Larger than any time an agent's logical clock reaches here: its news are the newest. */
const serfTime = 1_000;

for (const { mode, key } of modes) {
  withOriginal(`our nodes and Serf agents in one cluster, ${mode}`, () => {
    const address = loopbackNetwork();
    const our = new Map<string, Peer>();
    const serf = new Map<string, SerfAgent>();

    beforeAll(async () => {
      for (const name of ['our-1', 'our-2', 'our-3']) {
        const meta = encodeTags({ made: 'here', name });
        const identity = { name, bind: address(), meta, delegateVersion: serfDelegateVersion };
        our.set(name, await Peer.start(ours, { ...identity, profile: 'lan', ...(key && { key }) }));
      }
      for (const name of ['serf-1', 'serf-2', 'serf-3']) {
        serf.set(name, await SerfAgent.start({ name, bind: address(), key, tags: { made: 'there', name } }));
      }
    });
    afterAll(() => Promise.all([...our.values(), ...serf.values()].map((process) => process.kill())));

    const [our1, our2, our3] = [() => our.get('our-1')!, () => our.get('our-2')!, () => our.get('our-3')!];
    const [serf1, serf2, serf3] = [() => serf.get('serf-1')!, () => serf.get('serf-2')!, () => serf.get('serf-3')!];

    it('joins from both sides are seen on both sides, with tags', async () => {
      expect(await our1().ask('join', { to: [serf1().address] })).toBe(1);
      expect(await our2().ask('join', { to: [our1().address] })).toBe(1);
      await serf2().command('join', our1().address);
      await serf3().command('join', serf1().address);
      expect(await our3().ask('join', { to: [serf3().address] })).toBe(1);
      for (const peer of our.values()) {
        for (const name of serf.keys()) {
          const { data } = await peer.saw('join', name);
          expect(decodeTags(data)).toEqual({ made: 'there', name });
        }
      }
      for (const agent of serf.values()) {
        for (const name of our.keys()) {
          await agent.saw('Join', name);
          expect(await agent.member(name)).toMatchObject({ status: 'alive', tags: { made: 'here', name } });
        }
      }
    });

    it('changed tags are seen on both sides', async () => {
      await our1().ask('meta', { data: encodeTags({ made: 'here', speed: 'high' }) });
      await serf1().command('tags', '-set', 'speed=low');
      for (const agent of serf.values()) {
        await agent.saw('Update', 'our-1');
        expect((await agent.member('our-1'))?.tags).toEqual({ made: 'here', speed: 'high' });
      }
      for (const peer of our.values()) {
        const { data } = await peer.saw('update', 'serf-1');
        expect(decodeTags(data)).toEqual({ made: 'there', name: 'serf-1', speed: 'low' });
      }
    });

    it('an agent that stands still is suspected, and refutes when it goes on', async () => {
      const accused = [...our.values()].map(async (peer) => {
        await peer.saw('suspect', 'serf-1');
        return peer;
      });
      serf1().signal('SIGSTOP');
      const witness = await Promise.any(accused);
      serf1().signal('SIGCONT');
      expect(await witness.saw('refute', 'serf-1')).toMatchObject({ state: 'alive' });
      for (const peer of our.values()) expect(peer.told(['leave'])).toEqual([]);
      for (const agent of [serf2(), serf3()]) expect(await agent.member('serf-1')).toMatchObject({ status: 'alive' });
    });

    it('a node of ours that stands still is suspected, and refutes when it goes on', async () => {
      const from = our2().mark;
      // From here on: who stood still accuses others when it goes on, too.
      const accused = [...serf.values()].map((agent) =>
        agent.logged(/Suspect our-2 has failed, no acks received/, { from: agent.mark }),
      );
      our2().signal('SIGSTOP');
      await Promise.any(accused);
      our2().signal('SIGCONT');
      await our2().logged(/^refuted: /, { from });
      for (const agent of serf.values()) {
        expect(await agent.member('our-2')).toMatchObject({ status: 'alive' });
        expect(agent.events.filter(({ text }) => text.includes('EventMemberFailed'))).toEqual([]);
      }
      expect(our1().told(['leave'])).toEqual([]);
    });

    it('those that were killed are dead here and have failed there', async () => {
      await Promise.all([serf3().kill(), our3().kill()]);
      for (const peer of [our1(), our2()]) {
        for (const name of ['serf-3', 'our-3']) expect(await peer.saw('leave', name)).toMatchObject({ state: 'dead' });
      }
      for (const agent of [serf1(), serf2()]) {
        for (const name of ['serf-3', 'our-3']) {
          await agent.saw('Failed', name);
          expect(await agent.member(name)).toMatchObject({ status: 'failed' });
        }
      }
    });

    it('the leave of an agent is a leave here', async () => {
      await serf2().command('leave');
      await serf2().ended;
      // With two dead to be told as well, four datagrams may miss one of us; never both.
      const told = [our1(), our2()].map((peer) =>
        peer.until('a leave', ({ event, node, state }) => event === 'leave' && node === 'serf-2' && state === 'left'),
      );
      await Promise.any(told);
    });

    it('our leave, with the intent that Serf expects, is a leave there', async () => {
      // Of whom a busy machine made it think badly, it would make one that left at once.
      await serf1().holds('our-2', 'alive');
      // Agents pass an intent on; nodes of ours do not, so that gossip among all might end with them.
      await our2().ask('send', { node: 'serf-1', reliable: true, data: encodeLeaveIntent('our-2', serfTime) });
      await serf1().holds('our-2', 'leaving');
      await our2().ask('leave');
      await serf1().saw('Leave', 'our-2');
      expect(await serf1().member('our-2')).toMatchObject({ status: 'left' });
      expect(await our1().saw('leave', 'our-2')).toMatchObject({ state: 'left' });
    });

    it('nothing that was said could not be read', async () => {
      const strange = /wire\.|internal|badMember|badVersions/;
      expect([...our.values()].flatMap(({ events }) => events.filter(({ text = '' }) => strange.test(text)))).toEqual(
        [],
      );
      // Errors of sockets are those of the members that stood still or were killed.
      const complaints = serf1().events.filter(({ text }) => /\[ERR\]|decode|corrupt|incompatible/.test(text));
      expect(complaints.filter(({ text }) => !/i\/o timeout|connection (refused|reset)/.test(text))).toEqual([]);
    });
  });
}
