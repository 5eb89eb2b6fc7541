import { execFile } from 'node:child_process';
import { createServer } from 'node:net';
import { promisify } from 'node:util';
import { until } from '../harness.js';
import { LineProcess, type Waiting } from './line-process.mjs';
import { findProgram } from './programs.mjs';

const run = promisify(execFile);

interface SerfOptions {
  readonly name: string;
  readonly bind: string;
  /** Hexadecimal. */
  readonly key?: string | undefined;
  readonly tags?: Readonly<Record<string, string>>;
}

interface SerfMember {
  readonly name: string;
  readonly addr: string;
  readonly status: 'alive' | 'leaving' | 'left' | 'failed';
  readonly tags: Readonly<Record<string, string>>;
}

/** A Serf agent, Debian's, in a process of its own. What it logs are its events. */
export class SerfAgent extends LineProcess {
  private constructor(
    command: readonly string[],
    private readonly options: SerfOptions,
    readonly address: string,
    private readonly rpc: string,
  ) {
    super(options.name, command, (line) => ({ text: line.trim() }));
  }

  /** Resolves when it answers commands. */
  static async start(options: SerfOptions): Promise<SerfAgent> {
    const { name, bind, key, tags = {} } = options;
    const [address, rpc] = [`${bind}:${await freePort(bind)}`, `${bind}:${await freePort(bind)}`];
    const command = [
      ...[findProgram('serf')!, 'agent', '-log-level=debug'],
      ...[`-node=${name}`, `-bind=${address}`, `-rpc-addr=${rpc}`, '-profile=lan'],
      ...(key === undefined ? [] : [`-encrypt=${Buffer.from(key, 'hex').toString('base64')}`]),
      ...Object.entries(tags).map(([tag, value]) => `-tag=${tag}=${value}`),
    ];
    const agent = new SerfAgent(command, options, address, rpc);
    try {
      await agent.logged(/agent: joined|Serf agent running/);
      return agent;
    } catch (error) {
      await agent.kill();
      throw error;
    }
  }

  /** Runs one of Serf's own commands against the agent. */
  async command(name: string, ...args: string[]): Promise<string> {
    const { stdout } = await run(findProgram('serf')!, [name, `-rpc-addr=${this.rpc}`, ...args]);
    return stdout;
  }

  async members(): Promise<SerfMember[]> {
    const { members } = JSON.parse(await this.command('members', '-format=json')) as { members: SerfMember[] };
    return members;
  }

  async member(name: string): Promise<SerfMember | undefined> {
    return (await this.members()).find((member) => member.name === name);
  }

  /** Resolves once the agent holds a member for that. @throws Error with what it logged of the member */
  async holds(name: string, status: SerfMember['status']): Promise<void> {
    let last: string | undefined;
    const look = async (): Promise<true | undefined> => {
      last = (await this.member(name))?.status;
      return last === status ? true : undefined;
    };
    await until(`${name} is ${status}`, look).catch((cause: unknown) => {
      const told = this.events.map(({ text }) => text).filter((text) => text.includes(name));
      throw new Error(`${this.name} holds ${name} for ${last}, never ${status}:\n${told.join('\n')}`, { cause });
    });
  }

  logged(pattern: RegExp, waiting?: Waiting): Promise<{ readonly text: string }> {
    return this.until(String(pattern), ({ text }) => pattern.test(text), waiting);
  }

  /** Waits until it logged Serf's event of a member. */
  saw(
    event: 'Join' | 'Leave' | 'Failed' | 'Update',
    name: string,
    waiting?: Waiting,
  ): Promise<{ readonly text: string }> {
    return this.logged(new RegExp(`EventMember${event}: ${name}\\b`), waiting);
  }
}

async function freePort(address: string): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host: address, port: 0 }, resolve);
  });
  const { port } = server.address() as { port: number };
  await new Promise((closed) => server.close(closed));
  return port;
}
