import { spawnSync } from 'node:child_process';
import { readFileSync, readdirSync, readlinkSync } from 'node:fs';

/** What a node has of the system, by kind: how many. */
export type Holdings = Readonly<
  Record<'processes' | 'marked' | 'descriptors' | 'connections' | 'mounts' | 'groups' | 'files', number>
>;

const numbers = (folder: string): number[] =>
  readdirSync(folder)
    .filter((name) => /^\d+$/.test(name))
    .map(Number);

/** Zero of a process that has just ended. */
function orNothing<T>(read: () => T[]): T[] {
  try {
    return read();
  } catch {
    return [];
  }
}

const linesOf = (file: string): string[] => orNothing(() => readFileSync(file, 'utf8').trimEnd().split('\n'));

/** The process, and all below it. */
function family(root: number): number[] {
  const parents = numbers('/proc').map((pid) => {
    const parent = linesOf(`/proc/${pid}/status`).find((line) => line.startsWith('PPid:'));
    return { pid, parent: Number(parent?.slice(5)) };
  });
  const found = [root];
  for (const each of found) found.push(...parents.filter(({ parent }) => parent === each).map(({ pid }) => pid));
  return found;
}

/** Inodes of the connections by TCP: pools of them grow and shrink by themselves. */
function tcpSockets(pid: number): Set<string> {
  const tables = ['tcp', 'tcp6'].flatMap((name) => linesOf(`/proc/${pid}/net/${name}`));
  return new Set(tables.map((line) => `socket:[${line.trim().split(/\s+/)[9]}]`));
}

const targetsOf = (pid: number): string[] =>
  orNothing(() => numbers(`/proc/${pid}/fd`)).flatMap((fd) => orNothing(() => [readlinkSync(`/proc/${pid}/fd/${fd}`)]));

/** Files and folders below, at any depth. */
const filesBelow = (folder: string): string[] => orNothing(() => readdirSync(folder, { recursive: true }).map(String));

/** Control groups for workers that a process of the family made. */
function groupsOf(family: ReadonlySet<number>): number {
  // Groups come and go while they are looked for, which `find` tells by its exit code.
  const { stdout } = spawnSync('find', ['/sys/fs/cgroup', '-type', 'd', '-path', '*/das-*/*'], { encoding: 'utf8' });
  return stdout.split('\n').filter((path) => family.has(Number(/\/das-(\d+)\//.exec(path)?.[1]))).length;
}

/** How many processes of the machine have this word in their command lines. */
export const processesWith = (word: string): number =>
  numbers('/proc').filter((pid) => linesOf(`/proc/${pid}/cmdline`).join('').split('\0').includes(word)).length;

/** Everything of a node that a job could leave behind. `mark`: a word of the command lines of what scripts start. Linux only. */
export function holdings({ pid, folders, mark }: { pid: number; folders: readonly string[]; mark: string }): Holdings {
  const all = family(pid);
  const tcp = tcpSockets(pid);
  const open = all.flatMap(targetsOf);
  return {
    processes: all.length,
    marked: processesWith(mark),
    descriptors: open.filter((target) => !tcp.has(target)).length,
    connections: open.filter((target) => tcp.has(target)).length,
    mounts: all.reduce((sum, each) => sum + linesOf(`/proc/${each}/mounts`).length, 0),
    groups: groupsOf(new Set(all)),
    files: folders.reduce((sum, folder) => sum + filesBelow(folder).length, 0),
  };
}
