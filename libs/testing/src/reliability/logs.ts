import { cp, readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';

/** Around a fault, logs are told from so long before to so long after it (ms). */
const beforeMs = 500;
const afterMs = 8_000;
const linesMax = 200;
const lineMax = 240;

/** What nodes say about themselves and each other that explains a run, besides all warnings. */
const telling = /\b(?:leads|leader|office|answers again|executor is up|left)\b/;

interface Line {
  readonly time: number;
  readonly text: string;
}

/** The lines of all nodes' logs around the given moments that may explain what happened, in the order of time. */
export async function logsAround(home: string, moments: readonly number[]): Promise<string[]> {
  const folder = join(home, 'log');
  const files = (await readdir(folder).catch(() => [])).filter((file) => file.endsWith('.log'));
  const all = await Promise.all(files.map(async (file) => linesOf(file, await readFile(join(folder, file), 'utf8'))));
  const near = ({ time }: Line): boolean => moments.some((at) => time > at - beforeMs && time < at + afterMs);
  const found = all
    .flat()
    .filter(near)
    .sort((one, other) => one.time - other.time);
  const told = found.slice(-linesMax).map(({ time, text }) => `${new Date(time).toISOString().slice(11, 23)} ${text}`);
  return found.length > told.length ? [`… ${found.length - told.length} lines before these …`, ...told] : told;
}

/** Keeps the logs of all processes in a folder that outlives the run. */
export async function keepLogs(home: string, folder: string): Promise<void> {
  for (const name of ['log', 'nats/nats.log', 'postgres/postgres.log'])
    await cp(join(home, name), join(folder, name), { recursive: true }).catch(() => undefined);
}

function linesOf(file: string, text: string): Line[] {
  return text.split('\n').flatMap((line) => {
    const record = parsed(line);
    if (record === undefined || typeof record['time'] !== 'string') return [];
    const { level, time, service, message, node, ...more } = record;
    if (level === 'info' && !telling.test(String(message))) return [];
    const rest = Object.keys(more).length > 0 ? ` ${JSON.stringify(more)}` : '';
    const who = typeof node === 'string' ? node : file;
    const told = `${who} ${String(service)} ${String(level)}: ${String(message)}${rest}`;
    return [{ time: Date.parse(time), text: told.slice(0, lineMax) }];
  });
}

function parsed(line: string): Record<string, unknown> | undefined {
  try {
    return JSON.parse(line) as Record<string, unknown>;
  } catch {
    return undefined;
  }
}
