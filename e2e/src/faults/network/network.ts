import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { canLayCables } from '../../two-machines.js';

const switchProgram = join(__dirname, 'switch.py');

/** Namespaces and TUN devices need root and a kernel that has them; elsewhere such tests say so instead of passing. */
export const canHaveNetwork = canLayCables && existsSync('/dev/net/tun');
if (!canHaveNetwork)
  process.stdout.write('cut, slow and lossy networks are not tried: they need root and /dev/net/tun\n');

/** Losses of a run, which can be had again by its seed. */
const seed = 20_261_122;

/** What happens to packets in one direction; `cut`: none arrives. */
export type Fault = 'cut' | { readonly delayMs?: number; readonly lossPercent?: number };

/**
 * Hosts with a network of their own, in which packets can be lost, delayed and cut, for each pair and direction. Nothing of it has a name outside:
 * when the switch ends, which it does with this process however that ends, devices and namespaces are gone with the last program in them.
 */
export class Network {
  readonly #answers: Array<(line: string) => void> = [];
  readonly #spaces = new Map<string, string>();

  private constructor(
    readonly hosts: readonly string[],
    private readonly child: ChildProcess,
  ) {}

  /** @throws Error with the switch's own words when it cannot be made; nothing is left. */
  static async of(hosts: readonly string[]): Promise<Network> {
    const places = hosts.flatMap((host, index) => [host, addressAt(index)]);
    const child = spawn('python3', ['-B', switchProgram, String(seed), ...places], { stdio: 'pipe' });
    const network = new Network(hosts, child);
    let said = '';
    child.stderr.on('data', (text) => (said = (said + String(text)).slice(-2_000)));
    const lines = createInterface({ input: child.stdout });
    await new Promise<void>((resolve, reject) => {
      child.once('close', () => reject(new Error(`the network could not be made: ${said.trim()}`)));
      lines.on('line', (line) => (line === 'ready' ? resolve() : network.#hear(line)));
    });
    return network;
  }

  address(host: string): string {
    return addressAt(this.hosts.indexOf(host));
  }

  /** The command line that runs a program on the host. It keeps its process id: signals reach the program. */
  on(host: string, command: readonly string[]): string[] {
    return ['nsenter', `--net=${this.#spaces.get(host)}`, '--', ...command];
  }

  /** From each of the first hosts to each of the second; the other direction stays as it is. */
  async oneWay(from: readonly string[], to: readonly string[], fault: Fault): Promise<void> {
    for (const source of from) {
      for (const target of to.filter((host) => host !== source)) {
        if (fault === 'cut') await this.#tell(`cut ${source} ${target}`);
        else await this.#tell(`set ${source} ${target} ${fault.delayMs ?? 0} ${fault.lossPercent ?? 0}`);
      }
    }
  }

  /** Between the two groups, both ways. */
  async between(some: readonly string[], others: readonly string[], fault: Fault): Promise<void> {
    await this.oneWay(some, others, fault);
    await this.oneWay(others, some, fault);
  }

  async heal(): Promise<void> {
    await this.#tell('heal');
  }

  /** Packets so far. */
  async counts(): Promise<{ readonly carried: number; readonly lost: number; readonly cut: number }> {
    const [, carried, , lost, , cut] = (await this.#tell('count')).split(' ').map(Number);
    return { carried: carried ?? 0, lost: lost ?? 0, cut: cut ?? 0 };
  }

  async close(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const gone = once(this.child, 'close');
    this.child.stdin?.end();
    await gone;
  }

  #tell(line: string): Promise<string> {
    return new Promise((resolve) => {
      this.#answers.push(resolve);
      this.child.stdin?.write(`${line}\n`);
    });
  }

  #hear(line: string): void {
    const answer = this.#answers.shift();
    const [host = '', path = ''] = line.split(' ');
    if (answer === undefined) this.#spaces.set(host, path);
    else answer(line);
  }
}

const addressAt = (index: number): string => `10.213.0.${index + 1}`;
