import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { repository, until } from './harness.js';

const cli = join(repository, 'apps/cli/dist/main.js');
export const ip = (...args: string[]): void => void execFileSync('ip', args, { stdio: 'pipe' });

/** Laying a cable needs root; elsewhere such a test says so instead of passing. */
export const canLayCables = process.getuid?.() === 0;
if (!canLayCables) process.stdout.write('two machines are not tried: network namespaces need root\n');

interface Command {
  readonly child: ChildProcess;
  readonly out: () => string;
  readonly ended: Promise<number | null>;
  /** Resolves with the match once it was printed. @throws Error with all that was, and the logs' last lines, when the command ends or time is over before */
  readonly printed: (pattern: RegExp) => Promise<RegExpExecArray>;
}

/** Two "machines" of a test's own: network namespaces joined by one cable, gone when it is removed. */
export class TwoMachines {
  readonly first: string;
  readonly second: string;
  readonly firstAddress: string;
  readonly secondAddress: string;
  folder = '';
  readonly #started: ChildProcess[] = [];

  /** `letter` and `subnet` keep tests apart that run at a time. */
  constructor(letter: string, subnet: number) {
    const tag = `da${letter}${process.pid % 100_000}`;
    [this.first, this.second] = [`${tag}a`, `${tag}b`];
    [this.firstAddress, this.secondAddress] = [`10.213.${subnet}.1`, `10.213.${subnet}.2`];
  }

  async make(): Promise<void> {
    if (!canLayCables) return;
    this.folder = await mkdtemp(join(tmpdir(), 'das-machines-'));
    for (const space of [this.first, this.second]) {
      ip('netns', 'add', space);
      ip('-n', space, 'link', 'set', 'lo', 'up');
    }
    ip('-n', this.first, 'link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', this.second);
    this.#address(this.first, this.firstAddress);
    this.#address(this.second, this.secondAddress);
  }

  /** Ends what was started there, too. */
  async remove(): Promise<void> {
    if (!canLayCables) return;
    const running = this.#started.filter(({ exitCode }) => exitCode === null);
    for (const child of running) child.kill('SIGTERM');
    await Promise.all(running.map((child) => new Promise((done) => child.once('close', done))));
    for (const space of [this.first, this.second]) spawnSync('ip', ['netns', 'del', space]);
    await rm(this.folder, { recursive: true, force: true });
  }

  /** `das` on one of the machines, with a home of its own there. */
  on(space: string, args: readonly string[], home = space): Command {
    const child = spawn('ip', ['netns', 'exec', space, process.execPath, cli, ...args], {
      cwd: this.folder,
      env: { ...process.env, DAS_HOME: join(this.folder, home), DAS_SLOTS: '1' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let text = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (text += String(chunk)));
    const ended = new Promise<number | null>((done) => child.once('close', done));
    this.#started.push(child);
    const told = { child, out: () => text };
    return { ...told, ended, printed: (pattern) => printed(told, join(this.folder, home), pattern) };
  }

  #address(space: string, address: string): void {
    ip('-n', space, 'addr', 'add', `${address}/24`, 'dev', 'eth0');
    ip('-n', space, 'link', 'set', 'eth0', 'up');
  }
}

async function printed(
  { child, out }: Pick<Command, 'child' | 'out'>,
  home: string,
  pattern: RegExp,
): Promise<RegExpExecArray> {
  const look = async (): Promise<RegExpExecArray | 'over' | undefined> =>
    pattern.exec(out()) ?? (child.exitCode !== null || child.signalCode !== null ? 'over' : undefined);
  const found = await until(String(pattern), look).catch(() => 'over' as const);
  if (found !== 'over') return found;
  const folder = join(home, 'log');
  const logs = await Promise.all((await readdir(folder)).map((name) => lastLines(join(folder, name))));
  throw new Error([`never printed: ${String(pattern)}; what was:`, out(), ...logs].join('\n'));
}

const lastLines = async (file: string): Promise<string> =>
  `${file}:\n${(await readFile(file, 'utf8')).split('\n').slice(-15).join('\n')}`;
