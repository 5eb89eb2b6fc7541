import { spawn } from 'node:child_process';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Cluster } from '@das/supervisor';

/** The root of this installation, seen from `src/` and from `dist/` alike. */
export const installation = resolve(dirname(fileURLToPath(import.meta.url)), '../../../..');
const command = join(installation, 'apps/cli/dist/main.js');
/** Said on standard error, kept for a report (characters). */
const saidMax = 4_000;

/** `das results ID --follow`, as a user runs it. */
export interface Follower {
  /** What it wrote, and how it ended. */
  readonly ended: Promise<{ readonly code: number | null; readonly out: string; readonly said: string }>;
  /** Ends it if it still runs. */
  stop(): void;
}

/** Follows a job's result from the nodes in the given order: it turns to the next one when one goes. */
export function follow(
  cluster: Cluster,
  job: string,
  nodes: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Follower {
  const urls = nodes.flatMap((name) => cluster.node(name).rest ?? []).join(',');
  const child = spawn(process.execPath, [command, 'results', job, '--follow'], {
    cwd: cluster.home,
    env: { ...env, DAS_URL: urls, DAS_TOKEN_FILE: cluster.tokenFile },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const out: Buffer[] = [];
  let said = '';
  child.stdout.on('data', (bytes: Buffer) => out.push(bytes));
  child.stderr.on('data', (text: Buffer) => (said = (said + text.toString()).slice(-saidMax)));
  const ended = new Promise<{ code: number | null; out: string; said: string }>((done, failed) => {
    child.once('error', failed);
    child.once('close', (code) => done({ code, out: Buffer.concat(out).toString(), said }));
  });
  return { ended, stop: () => void child.kill('SIGKILL') };
}
