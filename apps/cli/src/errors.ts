import type { Problem } from '@das/contracts';
import { messageOf } from '@das/kernel';
import { UsageError } from './core/parse.js';
import { OutputClosedError } from './world.js';

/** Exit codes: documented, so scripts may rely on them. */
export const exitCodes = { succeeded: 0, failed: 1, usage: 2, cancelled: 130 } as const;

/** The cluster refused. State: as its code in docs/errors.md says. */
export class ProblemError extends Error {
  constructor(readonly problem: Problem) {
    super(problem.detail);
    this.name = 'ProblemError';
  }
}

/** No node answered. State: unknown for a change that was under way; asking again later is fine. */
export class NoClusterError extends Error {
  constructor(urls: readonly string[], why?: string) {
    const where =
      urls.length === 0
        ? 'no cluster is known here'
        : `no cluster at ${urls.join(', ')}${why === undefined ? '' : ` (${why})`}`;
    super(`${where}; start one with \`das up\`, or set DAS_URL`);
    this.name = 'NoClusterError';
  }
}

/** The command did its work and says so with this code; nothing more is printed. */
export class ExitError extends Error {
  constructor(readonly exitCode: number) {
    super(`exit ${exitCode}`);
  }
}

/** Refused because of what was sent, not because of the cluster's state. */
const badRequest: ReadonlySet<number> = new Set([400, 413, 422]);

export function exitCodeOf(thrown: unknown): number {
  if (thrown instanceof ExitError) return thrown.exitCode;
  if (thrown instanceof OutputClosedError) return exitCodes.succeeded;
  if (thrown instanceof UsageError) return exitCodes.usage;
  if (thrown instanceof ProblemError && badRequest.has(thrown.problem.status)) return exitCodes.usage;
  return exitCodes.failed;
}

/** What is printed on standard error: `error: …` and then what helps. Never a stack. */
export function errorLines(thrown: unknown, json: boolean): string[] {
  if (thrown instanceof ExitError || thrown instanceof OutputClosedError) return [];
  const details = thrown instanceof ProblemError ? thrown.problem : thrown instanceof UsageError ? thrown.details : {};
  const message = messageOf(thrown);
  if (json) return [JSON.stringify({ error: { detail: message, ...details } })];
  const { field, expected, hint, line, text } = details as Partial<Problem>;
  const help = { field, expected, line, text, hint };
  const lines = Object.entries(help).filter(([, value]) => value !== undefined);
  return [`error: ${message}`, ...lines.map(([name, value]) => `  ${name}: ${String(value)}`)];
}
