import { execFileSync } from 'node:child_process';
import { Network, canHaveNetwork } from './network.js';
import { firstWord, letGo, onHost } from './programs.js';

const whenPossible = canHaveNetwork ? describe : describe.skip;

/** Sends ten datagrams to a listener on the other host, which sends them back; prints how many came back and how long the quickest took (ms). */
const echo = `
const { createSocket } = require('node:dgram');
const [address] = process.argv.slice(1);
const socket = createSocket('udp4');
const took = [];
socket.on('message', (text) => took.push(Number(process.hrtime.bigint() - BigInt(String(text))) / 1e6));
for (let n = 0; n < 10; n += 1) socket.send(String(process.hrtime.bigint()), 7, address);
setTimeout(() => { console.log(JSON.stringify([took.length, Math.min(...took)])); process.exit(); }, 400);
`;
const listener = `
const { createSocket } = require('node:dgram');
const socket = createSocket('udp4').bind(7, () => process.send({}));
socket.on('message', (text, { address, port }) => socket.send(text, port, address));
process.on('disconnect', () => process.exit());
`;

whenPossible("a network of the test's own", () => {
  it('carries, delays, loses and cuts packets, each way apart, and leaves no name behind', async () => {
    const network = await Network.of(['a', 'b']);
    const far = onHost(network, 'b', [process.execPath, '-e', listener], process.env);
    const trip = (): [number, number] => {
      const [file = '', ...args] = network.on('a', [process.execPath, '-e', echo, network.address('b')]);
      return JSON.parse(execFileSync(file, args, { encoding: 'utf8' })) as [number, number];
    };
    try {
      await firstWord(far, 'the listener');
      expect(trip()[0]).toBe(10);
      await network.between(['a'], ['b'], { delayMs: 25 });
      const [count, quickest] = trip();
      expect(count).toBe(10);
      expect(quickest).toBeGreaterThanOrEqual(50);
      await network.heal();
      await network.oneWay(['b'], ['a'], { lossPercent: 100 });
      expect(trip()[0]).toBe(0);
      await network.heal();
      await network.oneWay(['b'], ['a'], 'cut');
      expect(trip()[0]).toBe(0);
      // The other way is open, so that all was answered, in vain.
      expect(await network.counts()).toEqual({ carried: 60, lost: 10, cut: 10 });
    } finally {
      await letGo(far);
      await network.close();
    }
  });
});
