import { readFileSync, readdirSync, readlinkSync } from 'node:fs';

const space = (pid: string | number): string | undefined => {
  try {
    return readlinkSync(`/proc/${pid}/ns/pid`);
  } catch {
    return undefined;
  }
};

/** The machine's numbers of processes that have `inner` numbers in the namespace that `pid` is of; those of the same namespace stay as they are. */
export function hostPids(pid: number, inner: readonly number[]): number[] {
  const own = space(pid);
  if (own === space('self')) return [...inner];
  const numbers = new Map<number, number>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name) || space(name) !== own) continue;
    const seen = /^NSpid:.*\s(\d+)$/m.exec(readFileSync(`/proc/${name}/status`, 'utf8'))?.[1];
    numbers.set(Number(seen), Number(name));
  }
  return inner.map((number) => numbers.get(number) ?? 0);
}
