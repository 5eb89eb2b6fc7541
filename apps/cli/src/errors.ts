import type { Problem } from '@das/contracts';
import { DasError, messageOf } from '@das/kernel';
import { type Told, inCliWords } from './core/cli-words.js';
import { UsageError } from './core/parse.js';
import { OutputClosedError, OutputError } from './world.js';

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
  constructor(
    message: string,
    readonly details: { readonly hint?: string } = {},
  ) {
    super(message);
    this.name = 'NoClusterError';
  }
}

/** A home that was looked into for a cluster. */
export interface Home {
  readonly path: string;
  /** By the user, not by a rule of ours. */
  readonly named: boolean;
}
const upIn = ({ path, named }: Home): string => (named ? `das --home ${path} up` : 'das up');

/** Nothing says where a cluster is. */
export function unknownCluster(home: Home | undefined): NoClusterError {
  if (home?.named === true)
    return new NoClusterError(`no cluster runs in ${home.path}; start it with \`${upIn(home)}\``);
  return new NoClusterError('no cluster is known here; start one with `das up`, or set DAS_URL');
}

/** Nobody ever answered there. `home`: where the addresses are from. */
export function silentCluster(urls: readonly string[], why: string, home?: Home): NoClusterError {
  const where = `${urls.join(', ')} (${why})`;
  if (home === undefined)
    return new NoClusterError(`no cluster at ${where}; start one with \`das up\`, or set DAS_URL`);
  return new NoClusterError(
    `the cluster of ${home.path} does not answer at ${where}; start it again with \`${upIn(home)}\``,
  );
}

/** A submission went out whole, and what came of it is not known. */
export const unansweredSubmission = (url: string, why: string): NoClusterError =>
  new NoClusterError(`${url} did not answer the submission (${why})`, { hint: 'the job may run; das jobs shows it' });

/** Somebody answered before. */
export const lostCluster = (urls: readonly string[], why: string, triedS: number): NoClusterError =>
  new NoClusterError(`the cluster is lost: no node answered for ${triedS} s (${urls.join(', ')}: ${why})`);

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
  if (json) return [JSON.stringify({ error: told(thrown) })];
  const { detail, field, expected, hint, line, text } = inCliWords(told(thrown));
  const help = { field, expected, line, text, hint };
  const lines = Object.entries(help).filter(([, value]) => value !== undefined);
  return [`error: ${detail}`, ...lines.map(([name, value]) => `  ${name}: ${String(value)}`)];
}

/** Everything that an error has to say, wherever it keeps it. */
function told(thrown: unknown): Told {
  const detail = messageOf(thrown);
  if (thrown instanceof ProblemError) return thrown.problem;
  if (thrown instanceof UsageError || thrown instanceof NoClusterError || thrown instanceof OutputError)
    return { detail, ...thrown.details };
  return thrown instanceof DasError && thrown.hint !== undefined ? { detail, hint: thrown.hint } : { detail };
}
