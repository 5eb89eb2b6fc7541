// A loopback network of a test's own, with real loss. It has no name: it is gone when the last process in it has ended, and the one
// that holds it ends with the test's, however that ends.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { LineProcess } from './line-process.mjs';
import { findProgram } from './programs.mjs';

const run = promisify(execFile);

export class OwnNetwork {
  /** A network whose packets all arrive. Root only. @throws Error with the words of the programs that could not make it */
  static async open() {
    const holder = new LineProcess(
      'network',
      [findProgram('unshare'), '--net', '--', 'sh', '-c', `${findProgram('ip')} link set lo up && echo up && exec cat`],
      (text) => ({ text }),
    );
    try {
      await holder.until('is up', ({ text }) => text === 'up');
      return new OwnNetwork(holder);
    } catch (error) {
      await holder.kill();
      throw error;
    }
  }

  constructor(holder) {
    this.holder = holder;
  }

  /** The command line that runs a program in this network. It keeps its process id: signals reach the program. */
  inside(command) {
    return [findProgram('nsenter'), `--net=/proc/${this.holder.child.pid}/ns/net`, '--', ...command];
  }

  /** Packets are lost by chance on their way in, datagrams and pieces of streams alike. */
  lose(percent) {
    return this.#rule(`numgen random mod 1000 < ${Math.round(percent * 10)} counter drop`);
  }

  /** How many packets were lost so far. */
  async lost() {
    const { stdout } = await this.#nft('list chain inet faults in');
    return [...stdout.matchAll(/counter packets (\d+)/g)].reduce((sum, [, packets]) => sum + Number(packets), 0);
  }

  /** No datagram leaves or reaches an address any more; streams do. */
  async dropDatagrams(address) {
    await this.#rule(`ip saddr ${address} meta l4proto udp drop`);
    await this.#rule(`ip daddr ${address} meta l4proto udp drop`);
  }

  async close() {
    await this.holder.kill();
  }

  async #rule(rule) {
    await this.#nft('add table inet faults');
    await this.#nft('add chain inet faults in { type filter hook input priority 0 ; }');
    await this.#nft(`add rule inet faults in ${rule}`);
  }

  #nft(words) {
    const [file, ...args] = this.inside([findProgram('nft'), words]);
    return run(file, args);
  }
}
