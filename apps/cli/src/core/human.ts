/** Numbers and times as people read them. */

/** `12,345,678`. */
export const grouped = (value: number): string => String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, ',');

/** `1 item`, `2,000 items`. */
export const counted = (value: number, what: string): string => `${grouped(value)} ${what}${value === 1 ? '' : 's'}`;

/** `0.8 s`, `12 s`, `3 min 05 s`, `2 h 07 min`. */
export function duration(ms: number): string {
  if (ms < 9_950) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  const two = (value: number): string => String(value).padStart(2, '0');
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${two(seconds % 60)} s`;
  return `${Math.floor(seconds / 3600)} h ${two(Math.floor((seconds % 3600) / 60))} min`;
}

/** Columns as wide as their widest cell; numbers stand right. */
export function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const cells = [head, ...rows.map((row) => row.map(String))];
  const widths = head.map((_, column) => Math.max(...cells.map((row) => (row[column] ?? '').length)));
  const right = head.map((_, column) => rows.length > 0 && rows.every((row) => typeof row[column] === 'number'));
  const line = (row: readonly string[]): string =>
    row.map((cell, i) => (right[i] ? cell.padStart(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0))).join('  ');
  return cells.map((row) => line(row).trimEnd()).join('\n');
}

/** Where a job stands, from its newest progress. */
export interface Standing {
  readonly done: number;
  readonly failed: number;
  readonly total: number;
  /** The total is the last word: `split` or the upload is over. */
  readonly final: boolean;
  readonly running: number;
  readonly etaMs: number | undefined;
}

/** `1,200/5,000 items (24 %), 3 failed, 8 running, ETA 12 s`. Nothing of items where there are none: one step does it all. */
export function standingLine({ done, failed, total, final, running, etaMs }: Standing): string {
  const share = final && total > 0 ? ` (${Math.floor((100 * (done + failed)) / total)} %)` : '';
  const parts = final && total === 0 ? [] : [`${grouped(done)}/${itemsOf(total, final)}${share}`];
  if (failed > 0) parts.push(`${grouped(failed)} failed`);
  parts.push(`${grouped(running)} running`);
  if (etaMs !== undefined) parts.push(`ETA ${duration(etaMs)}`);
  return parts.join(', ');
}

/** `1 item`, `5,000 items`, `5,000+ items` while more may come. */
const itemsOf = (total: number, final: boolean): string =>
  final ? counted(total, 'item') : `${grouped(total)}+ items`;

/** The hook that a decision runs, by its name in the script. */
export const hookName = (outcome: 'succeeded' | 'failed' | undefined): string =>
  outcome === 'failed' ? 'on_failure' : 'on_success';
