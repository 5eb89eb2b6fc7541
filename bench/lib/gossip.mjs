// Clusters of gossip peers in processes of their own, ours or the original's; all end with this process, also after Ctrl-C.
import { setTimeout as pause } from 'node:timers/promises';
import { Peer, loopbackNetwork } from '../../e2e/src/interop/peer.mjs';

/** Longest time that any detection may take (ms): six times the longest suspicion there is here. */
const detectionMsMax = 150_000;

// Peers die with this process; without a handler Ctrl-C would not let it say goodbye to them.
for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
]) {
  process.once(signal, () => process.exit(code));
}

/** Starts `size` peers and resolves when each has seen all. */
export async function gossipCluster(program, { size, ...options }) {
  const address = loopbackNetwork();
  const names = Array.from({ length: size }, (_, index) => `node-${index + 1}`);
  const peers = await Promise.all(names.map((name) => Peer.start(program, { name, bind: address(), ...options })));
  const [first, ...others] = peers;
  await Promise.all(others.map((peer) => peer.ask('join', { to: [first.address] })));
  await Promise.all(peers.flatMap((peer) => names.map((name) => peer.saw('join', name))));
  return { peers, stop: () => Promise.all(peers.map((peer) => peer.kill())) };
}

/**
 * Kills one peer at a random moment and tells when the first and the last survivor declared it dead, ms after the kill.
 * `withinMs`: the moment is uniform in this time, so that no phase of a probe is preferred.
 */
export async function detect({ peers }, withinMs) {
  const victim = peers[Math.floor(Math.random() * peers.length)];
  const survivors = peers.filter((peer) => peer !== victim);
  await pause(Math.random() * withinMs);
  const early = survivors.flatMap((peer) => peer.told(['leave']));
  if (early.length > 0) throw new Error(`${early[0].node} was declared dead before anybody was killed`);
  const killedAt = performance.now();
  victim.signal('SIGKILL');
  const afterMs = survivors.map(async (peer) => {
    const { node } = await peer.until('a death', ({ event }) => event === 'leave', { limitMs: detectionMsMax });
    if (node !== victim.name) throw new Error(`${peer.name} declared ${node} dead instead of ${victim.name}`);
    return performance.now() - killedAt;
  });
  const all = await Promise.all(afterMs);
  return { firstMs: Math.min(...all), lastMs: Math.max(...all) };
}
