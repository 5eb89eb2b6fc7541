// Finds processes that a run started and did not end. Linux only: elsewhere it finds none.
import { readFileSync, readdirSync, readlinkSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';

const ticksPerSecond = 100;

const textOf = (file) => {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
};

function folderOf(pid) {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    return '';
  }
}

/** When the machine started (ms since 1970), so that start times in ticks can be told apart. */
const bootMs = () => Number(/^btime (\d+)/m.exec(textOf('/proc/stat'))?.[1] ?? 0) * 1000;

function describe(pid, boot) {
  const stat = textOf(`/proc/${pid}/stat`);
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const command = textOf(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').trim();
  const startedAt = boot + (Number(fields[19]) * 1000) / ticksPerSecond;
  return { pid, command, state: fields[0], parent: Number(fields[1]), startedAt };
}

/** A server, a node or a worker of ours by its command line. */
const ours = /(?:^|\/)(?:nats-server|postgres)(?:\s|:|$)|apps\/[a-z-]+\/dist\/|das_worker/;

/**
 * What still runs of a run: it carries the run's mark in its environment; or, as its environment may have been cleared, it is a server, a node or
 * a worker that started since, has lost its parent, and works in the run's temporary folder. Clusters that somebody else runs are left alone.
 */
function find({ run, temp, since }) {
  const boot = bootMs();
  const pids = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
  return pids.flatMap((pid) => {
    if (pid === process.pid) return [];
    const found = describe(pid, boot);
    if (found.command === '' || found.state === 'Z' || found.startedAt < since - 1_000) return [];
    const marked = textOf(`/proc/${pid}/environ`).includes(`DAS_TEST_RUN=${run}`);
    const places = [found.command, folderOf(pid)];
    const here = places.some((place) => place.includes(temp));
    return marked || (found.parent === 1 && ours.test(found.command) && here) ? [found] : [];
  });
}

/** @returns the processes that are still there after `graceMs`: time for what is just ending. */
export async function leftovers({ graceMs = 5_000, ...options }) {
  if (process.platform !== 'linux') return [];
  const until = Date.now() + graceMs;
  for (;;) {
    const found = find(options);
    if (found.length === 0 || Date.now() > until) return found;
    await pause(100);
  }
}
