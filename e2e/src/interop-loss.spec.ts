import { compileMs, original, ours, withOriginalAndNetwork } from './interop/gate.js';
import { OwnNetwork } from './interop/own-network.mjs';
import { Peer, loopbackNetwork } from './interop/peer.mjs';

/** Two minutes of waiting are for `npm run test:full` and `npm run test:nightly`. */
const patient = ['full', 'nightly'].includes(process.env['DAS_TEST_TIER'] ?? '');
const stableMs = 120_000;
const lossPercent = 10;
/** Six nodes exchange about forty packets a second, so that hundreds are lost; far fewer would be a quiet network. */
const lostMin = 100;

const whenPatient = patient ? withOriginalAndNetwork : describe.skip;

whenPatient('three of ours and three of the original, with a tenth of all packets lost', () => {
  let network: OwnNetwork;
  const peers: Peer[] = [];

  beforeAll(async () => {
    network = await OwnNetwork.open();
    const address = loopbackNetwork();
    const go = await original();
    for (const index of [1, 2, 3]) {
      for (const [kind, program] of Object.entries({ our: ours, go })) {
        const options = { name: `${kind}-${index}`, bind: address(), profile: 'lan' as const };
        peers.push(await Peer.start(network.inside(program), options));
      }
    }
    const [first, ...others] = peers;
    for (const peer of others) await peer.ask('join', { to: [first!.address] });
    await Promise.all(peers.flatMap((peer) => peers.map(({ name }) => peer.saw('join', name))));
  }, compileMs);
  afterAll(async () => {
    await Promise.all(peers.map((peer) => peer.kill()));
    await network.close();
  });

  it(
    'declare nobody dead for two minutes, and still find who is',
    async () => {
      await network.lose(lossPercent);
      const deaths = peers.map((peer) =>
        peer
          .until('a death', ({ event }) => event === 'leave', { limitMs: stableMs })
          .then(
            ({ node }) => `${peer.name} lost ${node}`,
            () => undefined,
          ),
      );
      expect(await Promise.all(deaths)).toEqual(peers.map(() => undefined));
      const lost = await network.lost();
      expect(lost).toBeGreaterThan(lostMin);
      for (const peer of peers) expect(await peer.ask('members')).toHaveLength(peers.length);
      const accused = peers.flatMap((peer) => peer.told(['suspect'])).length;
      process.stdout.write(`${lost} packets lost, ${accused} suspicions seen by our three, nobody declared dead\n`);

      const victims = peers.slice(-2);
      await Promise.all(victims.map((victim) => victim.kill()));
      for (const peer of peers.slice(0, -2)) {
        for (const { name } of victims) await peer.saw('leave', name);
      }
    },
    stableMs * 2,
  );
});
