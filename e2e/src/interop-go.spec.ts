import {
  base64,
  compileMs,
  modes,
  original,
  ours,
  text,
  withOriginal,
  withOriginalAndNetwork,
} from './interop/gate.js';
import { OwnNetwork } from './interop/own-network.mjs';
import { Peer, loopbackNetwork } from './interop/peer.mjs';

/** Compresses well, and is far larger than a datagram. */
const long = 'the same words again and again; '.repeat(6_000);

for (const { mode, key } of modes) {
  withOriginal(`our nodes and the original's in one cluster, compressed, ${mode}`, () => {
    const address = loopbackNetwork();
    const peers = new Map<string, Peer>();
    const [our1, our2] = [() => peers.get('our-1')!, () => peers.get('our-2')!];
    const [go1, go2] = [() => peers.get('go-1')!, () => peers.get('go-2')!];

    beforeAll(async () => {
      const go = await original();
      for (const [name, program] of Object.entries({ 'our-1': ours, 'our-2': ours, 'go-1': go, 'go-2': go })) {
        const said = { meta: base64(`meta of ${name}`), state: base64(`state of ${name}`) };
        const identity = { name, bind: address(), ...(key && { key }) };
        peers.set(name, await Peer.start(program, { ...identity, ...said, profile: 'lan', compression: true }));
      }
    }, compileMs);
    afterAll(() => Promise.all([...peers.values()].map((peer) => peer.kill())));

    /** Waits until each of these was told a text, and no later than that. */
    const told = (event: 'message' | 'merged', data: string, by: readonly Peer[]): Promise<unknown> =>
      Promise.all(
        by.map((peer) => peer.until(data.slice(0, 40), (told) => told.event === event && text(told.data) === data)),
      );

    it('either side joins the other; both see all, with their meta', async () => {
      expect(await our1().ask('join', { to: [go1().address] })).toBe(1);
      expect(await go2().ask('join', { to: [our1().address] })).toBe(1);
      expect(await our2().ask('join', { to: [go2().address] })).toBe(1);
      for (const peer of peers.values()) {
        for (const [name, { address: where }] of peers) {
          const seen = await peer.saw('join', name);
          expect([seen.address, text(seen.data)]).toEqual([where, `meta of ${name}`]);
        }
      }
    });

    it('a join carries the state of both sides to the other', async () => {
      await told('merged', 'state of our-1', [go1()]);
      await told('merged', 'state of go-1', [our1()]);
      await told('merged', 'state of go-2', [our1()]);
      await told('merged', 'state of our-2', [go2()]);
      const [ofJoiner] = go2()
        .told(['merged'])
        .filter(({ data }) => text(data) === 'state of our-2');
      expect(ofJoiner).toMatchObject({ join: true });
    });

    it('later states come with the next exchange', async () => {
      await our1().ask('state', { data: base64(`ours: ${long}`) });
      await go1().ask('state', { data: base64(`theirs: ${long}`) });
      await our1().ask('join', { to: [go1().address] });
      await told('merged', `ours: ${long}`, [go1()]);
      await told('merged', `theirs: ${long}`, [our1()]);
    });

    it('user messages arrive, in datagrams and over streams', async () => {
      const pairs = [
        [our1(), go1()],
        [go1(), our1()],
      ] as const;
      for (const [sender, receiver] of pairs) {
        const short = `from ${sender.name}`;
        await sender.ask('send', { node: receiver.name, data: base64(short) });
        await sender.ask('send', { node: receiver.name, data: base64(`${short}: ${long}`), reliable: true });
        await told('message', short, [receiver]);
        await told('message', `${short}: ${long}`, [receiver]);
      }
    });

    it.each(['our-1', 'go-1'])('what %s broadcasts reaches the others', async (name) => {
      const others = [...peers.values()].filter((peer) => peer.name !== name);
      await peers.get(name)!.ask('gossip', { data: base64(`news of ${name}`) });
      // Four datagrams to three others, each to a random one: whom they missed hears the next.
      const reached = (peer: Peer): boolean =>
        peer.told(['message']).some(({ data }) => text(data).startsWith(`news of ${name}`));
      for (let round = 0; round < 50 && !others.every(reached); round += 1) {
        await peers.get(name)!.ask('gossip', { data: base64(`news of ${name}, round ${round}`) });
      }
      expect(others.filter((peer) => !reached(peer)).map((peer) => peer.name)).toEqual([]);
    });

    it('changed attributes are seen by all', async () => {
      const news = { 'our-1': 'x'.repeat(512), 'go-1': 'changed there' };
      for (const [name, meta] of Object.entries(news)) {
        await peers.get(name)!.ask('meta', { data: base64(meta) });
        for (const peer of peers.values()) {
          if (peer.name !== name) expect(text((await peer.saw('update', name)).data)).toBe(meta);
        }
      }
    });

    it('one that stands still is suspected, and refutes when it goes on', async () => {
      const witnesses = [our1(), our2()].map(async (peer) => {
        await peer.saw('suspect', 'go-1');
        return peer;
      });
      go1().signal('SIGSTOP');
      const witness = await Promise.any(witnesses);
      go1().signal('SIGCONT');
      expect(await witness.saw('refute', 'go-1')).toMatchObject({ state: 'alive' });

      const from = our2().mark;
      // From here on: who stood still accuses others when it goes on, too.
      const accused = [go1(), go2()].map((peer) =>
        peer.logged(/Suspect our-2 has failed, no acks received/, { from: peer.mark }),
      );
      our2().signal('SIGSTOP');
      await Promise.any(accused);
      our2().signal('SIGCONT');
      await our2().logged(/^refuted: /, { from });
      for (const peer of peers.values()) expect(peer.told(['leave'])).toEqual([]);
    });

    it('a kill is a death, and a leave a leave', async () => {
      await go1().kill();
      for (const peer of [our1(), our2()]) expect(await peer.saw('leave', 'go-1')).toMatchObject({ state: 'dead' });
      await go2().saw('leave', 'go-1');
      await our2().ask('leave');
      await go2().saw('leave', 'our-2');
      expect(await our1().saw('leave', 'our-2')).toMatchObject({ state: 'left' });
      await go2().ask('leave');
      expect(await our1().saw('leave', 'go-2')).toMatchObject({ state: 'left' });
    });

    it('nothing that was said could not be read', () => {
      const ourNotes = [our1(), our2()].flatMap((peer) => peer.told(['log']).map((told) => told.text ?? ''));
      expect(ourNotes.filter((note) => /^(wire\.|internal|badMember|badVersions|mergeRefused)/.test(note))).toEqual([]);
      const theirs = [go1(), go2()].flatMap((peer) => peer.told(['log']).map((told) => told.text ?? ''));
      const errors = theirs.filter((line) => /\[ERR\]|decode|corrupt|incompatible/.test(line));
      expect(errors.filter((line) => !/i\/o timeout|connection (refused|reset)|EOF/.test(line))).toEqual([]);
    });
  });
}

withOriginalAndNetwork('a node whose datagrams are all lost', () => {
  it.each(['ours', "the original's"])('stays a member by probes over streams: %s', async (whose) => {
    const network = await OwnNetwork.open();
    const address = loopbackNetwork();
    const [deafAddress, otherAddress] = [address(), address()];
    const programs = whose === 'ours' ? [ours, await original()] : [await original(), ours];
    const [deafProgram, otherProgram] = programs.map((program) => network.inside(program)) as [string[], string[]];
    const deaf = await Peer.start(deafProgram, { name: 'deaf', bind: deafAddress, profile: 'lan' });
    const other = await Peer.start(otherProgram, { name: 'other', bind: otherAddress, profile: 'lan' });
    try {
      await deaf.ask('join', { to: [other.address] });
      await other.saw('join', 'deaf');
      await network.dropDatagrams(deafAddress);
      const by = /^udpBroken: |but other probes failed/;
      await Promise.all([deaf.logged(by), other.logged(by)]);
      expect([...deaf.told(['suspect', 'leave']), ...other.told(['suspect', 'leave'])]).toEqual([]);
    } finally {
      await Promise.all([deaf.kill(), other.kill()]);
      await network.close();
    }
  });
});
