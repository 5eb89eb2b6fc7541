import type { PartView } from '@das/contracts';

/** Differences told in full before the rest is only counted. */
const toldMax = 5;

/** What is wrong with a result, in words; empty when it is the expected one, byte for byte. */
export function resultFaults(whose: string, expected: string, got: string): string[] {
  if (got === expected) return [];
  const wanted = tally(expected);
  const found = tally(got);
  const lost = [...wanted].filter(([line, times]) => (found.get(line) ?? 0) < times).map(([line]) => line);
  const extra = [...found].filter(([line, times]) => (wanted.get(line) ?? 0) < times).map(([line]) => line);
  if (lost.length === 0 && extra.length === 0) return [`${whose}: every line is there, but not in order`];
  return [
    ...(lost.length > 0 ? [`${whose}: ${lost.length} lines are lost: ${sample(lost)}`] : []),
    ...(extra.length > 0 ? [`${whose}: ${extra.length} lines are twice or strange: ${sample(extra)}`] : []),
  ];
}

/** What is wrong with the parts of a job that succeeded: every item is in exactly one part, which one attempt committed. */
export function partFaults(parts: readonly PartView[], items: number): string[] {
  const faults: string[] = [];
  const maps = parts.filter(({ kind }) => kind === 'map').sort((one, other) => one.from - other.from);
  let reached = 0;
  for (const { part, from, to } of maps) {
    if (from > reached) faults.push(`no part has the items ${reached} to ${from - 1}`);
    if (from < reached) faults.push(`${part} repeats items from ${from} on`);
    reached = Math.max(reached, to);
  }
  if (reached !== items) faults.push(`the parts end at item ${reached} instead of ${items}`);
  for (const { part, state, attempts } of parts) {
    const commits = attempts.filter((attempt) => attempt.state === 'committed').length;
    if (state !== 'committed') faults.push(`${part} is ${state}, although the job succeeded`);
    // What a commit left of a part is a part without an attempt of its own.
    else if (commits > 1) faults.push(`${part} was committed by ${commits} attempts`);
  }
  return faults.length <= toldMax ? faults : [...faults.slice(0, toldMax), `… and ${faults.length - toldMax} more`];
}

function tally(text: string): Map<string, number> {
  const lines = new Map<string, number>();
  for (const line of text.split('\n')) if (line !== '') lines.set(line, (lines.get(line) ?? 0) + 1);
  return lines;
}

const sample = (lines: readonly string[]): string =>
  lines
    .slice(0, toldMax)
    .map((line) => line.slice(0, 80))
    .join(', ') + (lines.length > toldMax ? ', …' : '');
