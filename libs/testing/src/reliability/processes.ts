import { readFileSync, readdirSync } from 'node:fs';
import type { Helper } from './faults.js';

export interface Process {
  readonly pid: number;
  readonly parent: number;
  readonly command: string;
}

/** Every process of this machine that can be read (Linux). */
function processTable(): Process[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
        const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
        const command = readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
        return state === 'Z' ? [] : [{ pid: Number(name), parent: Number(parent), command }];
      } catch {
        // It ended while we looked.
        return [];
      }
    });
}

/** A process and all that came of it, parents first. */
export function family(pid: number): Process[] {
  const table = processTable();
  const found = table.filter((one) => one.pid === pid);
  for (const parent of found) found.push(...table.filter((one) => one.parent === parent.pid));
  return found;
}

/** Helpers of a node's executor, by how they are started. */
export function helpersOf(nodePid: number, helper: Helper): Process[] {
  const all = family(nodePid);
  const wardens = all.filter(({ command }) => command.includes('das_warden.py'));
  if (helper === 'warden') return wardens;
  const python = all.filter(({ command, pid }) => /python[\d.]* -I -X utf8 -c /.test(command) && !has(wardens, pid));
  const nurseries = python.filter(({ parent }) => !has(python, parent));
  return helper === 'nursery' ? nurseries : python.filter(({ parent }) => has(nurseries, parent));
}

const has = (processes: readonly Process[], pid: number): boolean => processes.some((one) => one.pid === pid);

/** Sends a signal; `false` when there is no such process (any more). A negative pid names a process group. */
export function signal(pid: number, name: NodeJS.Signals): boolean {
  if (pid === 0) return false;
  try {
    process.kill(pid, name);
    return true;
  } catch {
    return false;
  }
}

/** Stops a process and all that came of it, as a machine that stands still. The returned function lets them go on. */
export function freeze(pids: readonly number[]): () => void {
  const frozen = new Set<number>();
  // Twice: a process may have started another one between the look and the signal.
  for (let look = 0; look < 2; look += 1) {
    const found = pids.flatMap((pid) => family(pid)).filter(({ pid }) => !frozen.has(pid));
    for (const { pid } of found) if (signal(pid, 'SIGSTOP')) frozen.add(pid);
  }
  return () => {
    for (const pid of [...frozen].reverse()) signal(pid, 'SIGCONT');
  };
}
